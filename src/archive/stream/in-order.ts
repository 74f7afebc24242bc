/** A step of making an archive. `run` may work at the same time as other steps; results are taken in order. */
export interface Step<T> {
  run(): T | Promise<T>;
}

/**
 * Runs steps ahead of the consumer, at most `ahead` at a time, and gives their results in order.
 * When the consumer stops or a step fails, steps already started are waited for, so that no file is used after.
 */
export async function* inOrder<T>(steps: Iterable<Step<T>>, ahead: number, signal: AbortSignal): AsyncGenerator<T> {
  let started: (T | Promise<T>)[] = [];
  const iterator = steps[Symbol.iterator]();
  let isExhausted = false;
  try {
    for (;;) {
      while (!isExhausted && started.length < ahead) {
        const next = iterator.next();
        if (next.done === true) isExhausted = true;
        else started.push(start(next.value));
      }
      if (started.length === 0) return;
      const first = started[0] as T | Promise<T>;
      const result = first instanceof Promise ? await first : first;
      // Only now: what fails here must still be among those waited for.
      started = started.slice(1);
      signal.throwIfAborted();
      yield result;
    }
  } finally {
    await Promise.allSettled(started);
    iterator.return?.();
  }
}

function start<T>(step: Step<T>): T | Promise<T> {
  const result = step.run();
  // Its failure is seen when its turn comes; until then it must not count as unhandled.
  if (result instanceof Promise) result.catch(() => {});
  return result;
}
