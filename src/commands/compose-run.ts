import { join } from 'node:path';
import { composeManager } from '../compose.ts';
import { selfCommand } from '../platform/self-command.ts';
import { defaultStateFolder } from '../platform/state-location.ts';
import type { ComposeManager } from './run.ts';

/** How `run` is put together; `stateDir` as given on the command line. */
export function composeRunCommand(stateDir: string | undefined): ComposeManager {
  return async ({ loaded, clients, clock, logger, environment, user, workingDirectory }) =>
    await composeManager({
      stateFolder: join(stateDir ?? defaultStateFolder(environment.env), 'journal'),
      environment: environment.env,
      workingDirectory,
      selfCommand: selfCommand(),
      user,
      shutdownTimeoutMs: loaded.config.shutdownTimeoutMs,
      clients,
      clock,
      logger,
    });
}
