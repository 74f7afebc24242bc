import { AbortReason, onceAborted } from '../../lib/abort.ts';

/**
 * Runs work ahead and takes its results strictly in order: at most `ahead` results are there or in the making at any
 * time. The first failure, in order, stops all that is behind it.
 * @param start begins the work of one item; its signal ends when the result is not wanted any more.
 * @param take uses a result when the ones before it were used.
 * @param drop gives up a result that nobody takes.
 */
export async function inTurn<T, R>(
  items: readonly T[],
  ahead: number,
  work: {
    readonly start: (item: T, signal: AbortSignal) => Promise<R>;
    readonly turn: (item: T) => void;
    readonly take: (result: R, item: T) => Promise<void>;
    readonly drop: (result: R) => Promise<void>;
  },
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const abort = onceAborted(signal);
  abort.promise.catch((reason: unknown) => stop.abort(reason));
  const started: Promise<R>[] = [];
  let taken = 0;
  const startMore = (): void => {
    for (const item of items.slice(started.length, taken + ahead)) {
      const running = work.start(item, stop.signal);
      running.catch(() => undefined);
      started.push(running);
    }
  };
  try {
    for (const item of items) {
      startMore();
      work.turn(item);
      const running = started[taken];
      if (running === undefined) return;
      const result = await running;
      taken += 1;
      await work.take(result, item);
    }
  } finally {
    stop.abort(new AbortReason('finished', 'an earlier download failed'));
    abort.dispose();
    for (const result of await Promise.allSettled(started.slice(taken))) {
      if (result.status === 'fulfilled') await work.drop(result.value);
    }
  }
}
