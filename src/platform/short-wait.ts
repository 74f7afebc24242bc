import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { StorageError } from '../lib/errors.ts';

/** Waits a few milliseconds at a time for something that another process will do soon. */
export interface ShortWait {
  /** @throws StorageError when it has been waited for too long; the signal's reason. */
  once(signal: AbortSignal): Promise<void>;
}

/** @param what is waited for, for the message. */
export function createShortWait(longestMs: number, what: string): ShortWait {
  const end = Date.now() + longestMs;
  return {
    once: async (signal) => {
      signal.throwIfAborted();
      if (Date.now() > end) throw new StorageError(`${what} was not given back for ${longestMs / 1000} s`);
      // Random, so that two that step back for one another do not meet again.
      await sleep(randomInt(5, 25));
      signal.throwIfAborted();
    },
  };
}
