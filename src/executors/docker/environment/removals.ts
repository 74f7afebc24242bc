import type { Logger } from '../../../observability/logger.ts';
import { type RemovalOptions, removeEnvironment } from './remove-environment.ts';

/** Removes what jobs leave while their results are on their way: nobody waits for it but the manager's end. */
export interface Removals {
  start(removal: RemovalOptions): void;
  /** Resolves when nothing is being removed. */
  finish(signal: AbortSignal): Promise<void>;
}

/** A daemon that hangs is not waited for any longer. */
const limitMs = 5 * 60_000;
const attempts = 3;

export function createRemovals(logger: Logger): Removals {
  const running = new Set<Promise<void>>();

  async function remove(removal: RemovalOptions): Promise<void> {
    const signal = AbortSignal.timeout(limitMs);
    for (let attempt = 1; ; attempt += 1) {
      const { leftovers } = await removeEnvironment(removal, signal);
      if (leftovers.length === 0) return;
      if (attempt < attempts && !signal.aborted) continue;
      for (const leftover of leftovers) logger.warn('Could not remove something of a job', { leftover });
      return;
    }
  }

  return {
    start: (removal) => {
      const work: Promise<void> = remove(removal).finally(() => running.delete(work));
      running.add(work);
    },
    finish: async (signal) => {
      const aborted = new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true });
        if (signal.aborted) resolve();
      });
      await Promise.race([Promise.all(running), aborted]);
    },
  };
}
