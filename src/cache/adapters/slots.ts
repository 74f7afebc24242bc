import { abortReasonOf } from '../../lib/abort.ts';

/** Lets only so many pieces of work run at the same time, first come first served. */
export interface Slots {
  /** @throws the signal's reason while it waits; what the work throws. */
  run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

export function createSlots(count: number): Slots {
  let free = count;
  const waiting: (() => void)[] = [];

  async function take(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw abortReasonOf(signal);
    if (free > 0) {
      free -= 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void => {
      waiting.splice(waiting.indexOf(resolve), 1);
      reject(abortReasonOf(signal));
    };
    waiting.push(resolve);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  function give(): void {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }

  return {
    run: async (work, signal) => {
      await take(signal);
      try {
        return await work();
      } finally {
        give();
      }
    },
  };
}
