import { setTimeout as sleep } from 'node:timers/promises';
import { AbortReason } from '../../../lib/abort.ts';
import type { Logger } from '../../../observability/logger.ts';
import { type RemovalOptions, removeEnvironment } from './remove-environment.ts';

/** Removes what jobs leave while their results are on their way: nobody waits for it but the manager's end. */
export interface Removals {
  /** Resolves once all is removed, or given up; never rejects. Whoever makes things of the same names waits for it. */
  start(removal: RemovalOptions): Promise<void>;
  /** Resolves when nothing is being removed. What cannot be removed at once now is left to the next manager. */
  finish(signal: AbortSignal): Promise<void>;
}

/** A daemon that is away longer is left to the next manager's sweep. */
const limitMs = 5 * 60_000;
const firstPauseMs = 250;
const longestPauseMs = 10_000;

export function createRemovals(logger: Logger): Removals {
  const running = new Set<Promise<void>>();
  const ending = new AbortController();

  async function remove(removal: RemovalOptions): Promise<void> {
    const signal = AbortSignal.timeout(limitMs);
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      const isLast = ending.signal.aborted || signal.aborted;
      const { leftovers } = await removeEnvironment(removal, signal);
      if (leftovers.length === 0) return;
      if (isLast) {
        for (const leftover of leftovers) logger.warn('Could not remove something of a job', { leftover });
        return;
      }
      // The daemon may be restarting.
      await sleep(pauseMs, undefined, { signal: ending.signal }).catch(() => {});
    }
  }

  return {
    start: (removal) => {
      const work: Promise<void> = remove(removal).finally(() => running.delete(work));
      running.add(work);
      return work;
    },
    finish: async (signal) => {
      ending.abort(new AbortReason('finished'));
      const aborted = new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true });
        if (signal.aborted) resolve();
      });
      await Promise.race([Promise.all(running), aborted]);
    },
  };
}
