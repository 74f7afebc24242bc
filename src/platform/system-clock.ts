import { abortReasonOf } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';

const LONGEST_TIMER_MS = 2_147_483_647;

/** The machine's clock. */
export function systemClock(): Clock {
  return { now: () => Date.now(), sleep };
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  let rest = ms;
  for (; rest > LONGEST_TIMER_MS; rest -= LONGEST_TIMER_MS) await sleepOnce(LONGEST_TIMER_MS, signal);
  await sleepOnce(rest, signal);
}

function sleepOnce(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    signal.removeEventListener('abort', onAbort);
    resolve();
  }, ms);
  const onAbort = (): void => {
    clearTimeout(timer);
    reject(abortReasonOf(signal));
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  return promise;
}
