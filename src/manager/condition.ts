import { onceAborted } from '../lib/abort.ts';

/** Lets loops wait for a state that others change. */
export interface Condition {
  /** Tells the waiting ones to look again. */
  notify(): void;
  /** Resolves as soon as the predicate holds; rejects with the signal's reason. */
  until(holds: () => boolean, signal: AbortSignal): Promise<void>;
}

export function createCondition(): Condition {
  let waiting: (() => void)[] = [];
  return {
    notify: () => {
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    },
    until: async (holds, signal) => {
      const aborted = onceAborted(signal);
      try {
        while (!holds()) {
          await Promise.race([new Promise<void>((resolve) => waiting.push(resolve)), aborted.promise]);
        }
      } finally {
        aborted.dispose();
      }
    },
  };
}
