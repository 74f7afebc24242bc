import { setTimeout as sleep } from 'node:timers/promises';
import { AbortReason } from '../../../lib/abort.ts';
import type { Logger } from '../../../observability/logger.ts';
import { type RemovalOptions, removeEnvironment } from './remove-environment.ts';

/** Removes what jobs leave while their results are on their way: nobody waits for it but the manager's end. */
export interface Removals {
  /**
   * Resolves after the first try, which removes all unless the daemon is away; never rejects. Whoever makes things of
   * the same names waits for it.
   */
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

  async function remove(removal: RemovalOptions, onTried: () => void): Promise<void> {
    const signal = AbortSignal.timeout(limitMs);
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      const isLast = ending.signal.aborted || signal.aborted;
      const { leftovers } = await removeEnvironment(removal, signal);
      onTried();
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
      const tried = Promise.withResolvers<void>();
      const work: Promise<void> = remove(removal, tried.resolve).finally(() => {
        running.delete(work);
        tried.resolve();
      });
      running.add(work);
      return tried.promise;
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
