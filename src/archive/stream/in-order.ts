/** A step of making an archive. */
export interface Step<T> {
  /** May work at the same time as other steps; results are taken in order. */
  run(): T | Promise<T>;
  /** Bytes it holds in memory from its start until its result is taken. */
  readonly weight: number;
}

export interface Window {
  /** Steps are started while those started weigh less than this. One is always started. */
  readonly weight: number;
  /** Most steps started and not yet taken. */
  readonly count: number;
}

/**
 * Runs steps ahead of the consumer and gives their results in order.
 * When the consumer stops or a step fails, steps already started are waited for, so that no file is used after.
 */
export async function* inOrder<T>(steps: Iterable<Step<T>>, window: Window, signal: AbortSignal): AsyncGenerator<T> {
  const started = new StartedSteps<T>();
  const iterator = steps[Symbol.iterator]();
  let isExhausted = false;
  try {
    for (;;) {
      while (!isExhausted && started.hasRoom(window)) {
        const next = iterator.next();
        if (next.done === true) isExhausted = true;
        else started.start(next.value);
      }
      if (started.isEmpty) return;
      const result = await started.takeFirst();
      signal.throwIfAborted();
      yield result;
    }
  } finally {
    await started.settle();
    iterator.return?.();
  }
}

/** Started steps in order, first in, first out. */
class StartedSteps<T> {
  #queue: { readonly result: T | Promise<T>; readonly weight: number }[] = [];
  #taken = 0;
  #weight = 0;

  get isEmpty(): boolean {
    return this.#queue.length === this.#taken;
  }

  hasRoom(window: Window): boolean {
    return this.isEmpty || (this.#weight < window.weight && this.#queue.length - this.#taken < window.count);
  }

  start(step: Step<T>): void {
    const result = step.run();
    // Its failure is seen when its turn comes; until then it must not count as unhandled.
    if (result instanceof Promise) result.catch(() => {});
    this.#queue.push({ result, weight: step.weight });
    this.#weight += step.weight;
  }

  takeFirst(): T | Promise<T> {
    const first = this.#queue[this.#taken];
    if (first === undefined) throw new Error('no step was started');
    this.#taken += 1;
    this.#weight -= first.weight;
    if (this.#taken >= 256) {
      this.#queue = this.#queue.slice(this.#taken);
      this.#taken = 0;
    }
    return first.result;
  }

  /** Waits for what was started and not taken. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#queue.slice(this.#taken).map(({ result }) => result));
  }
}
