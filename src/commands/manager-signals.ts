import type { RunnerManager } from '../manager/runner-manager.ts';
import type { Logger } from '../observability/logger.ts';
import type { CommandEnvironment } from './command-environment.ts';

/**
 * Connects the signals of the process to a manager (spec commands.md §4). On Windows, where only Ctrl-C exists, the
 * first one drains, the second one stops.
 * @returns how to stop listening
 */
export function listenToSignals(
  manager: RunnerManager,
  environment: Pick<CommandEnvironment, 'onSignal'>,
  logger: Logger,
  operatingSystem: string = process.platform,
): () => void {
  const interrupt = (): void => {
    if (operatingSystem === 'win32' && manager.state === 'running') manager.drain('interrupt');
    else manager.stop('interrupt');
  };
  const stops = [
    environment.onSignal('SIGQUIT', () => manager.drain('quit')),
    environment.onSignal('SIGTERM', () => manager.stop('terminated')),
    environment.onSignal('SIGINT', interrupt),
    environment.onSignal('SIGHUP', () => {
      logger.warn('The configuration cannot be reloaded by this version: restart to apply changes');
    }),
    // Without a listener Node would open its debugger to this machine's accounts.
    environment.onSignal('SIGUSR1', () => logger.info('=== received SIGUSR1 ===', { state: manager.state })),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
