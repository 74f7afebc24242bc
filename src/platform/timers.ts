/** Longest delay a timer takes; longer ones are started anew. */
const longestDelayMs = 2_147_483_647;

/**
 * Calls back once at a point in time (milliseconds since the epoch). Does not keep the process alive.
 * @returns how to take it back; idempotent.
 */
export function callAt(atMs: number, now: () => number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const delayMs = Math.max(0, atMs - now());
    timer = setTimeout(delayMs > longestDelayMs ? arm : callback, Math.min(delayMs, longestDelayMs));
    timer.unref();
  };
  arm();
  return () => clearTimeout(timer);
}
