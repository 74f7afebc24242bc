import { setTimeout as sleep } from 'node:timers/promises';
import { DaemonError, EnvironmentLostError, errorMessage } from '../../../lib/errors.ts';

/** How long a daemon may be away while a job of it runs. */
export const daemonAbsenceMs = 30_000;

/** Before the daemon is asked again what it did not answer. */
export const retryMs = 250;

/**
 * Asks the daemon until it answers: it may be restarting.
 * @param onAbsent called once when it did not answer
 * @throws EnvironmentLostError when it stays away
 */
export async function reachDaemon<T>(
  ask: () => Promise<T>,
  onAbsent: () => void,
  signal: AbortSignal,
  absenceMs = daemonAbsenceMs,
): Promise<T> {
  const deadline = performance.now() + absenceMs;
  let wasAbsent = false;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted || !(error instanceof DaemonError && error.kind === 'unreachable')) throw error;
      if (!wasAbsent) onAbsent();
      wasAbsent = true;
      if (performance.now() > deadline) {
        throw new EnvironmentLostError(`the Docker daemon does not answer any more: ${errorMessage(error)}`, {
          cause: error,
          hint: 'See the log of the daemon: was it stopped?',
        });
      }
      await sleep(retryMs);
    }
  }
}
