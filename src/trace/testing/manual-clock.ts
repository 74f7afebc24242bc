import { abortReasonOf } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';

interface Sleeper {
  readonly ms: number;
  readonly wakeAtMs: number;
  wake(): void;
}

/** A clock that stands still until told otherwise. */
export class ManualClock implements Clock {
  #nowMs: number;
  readonly #sleepers = new Set<Sleeper>();
  #waiting: (() => void)[] = [];

  constructor(nowMs = Date.UTC(2026, 0, 2, 3, 4, 5, 123)) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /** Lets time pass without waking anybody. */
  pass(ms: number): void {
    this.#nowMs += ms;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw abortReasonOf(signal);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper = { ms, wakeAtMs: this.#nowMs + ms, wake: resolve };
    this.#sleepers.add(sleeper);
    const onAbort = (): void => reject(abortReasonOf(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    for (const tell of this.#waiting.splice(0)) tell();
    try {
      await promise;
    } finally {
      this.#sleepers.delete(sleeper);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Resolves with the duration as soon as somebody sleeps. */
  async sleeping(): Promise<number> {
    for (;;) {
      const [sleeper] = this.#sleepers;
      if (sleeper !== undefined) return sleeper.ms;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Waits until somebody sleeps, passes that time, and wakes them. @returns how long it was. */
  async wakeNext(): Promise<number> {
    const ms = await this.sleeping();
    const [sleeper] = this.#sleepers;
    if (sleeper === undefined) throw new Error('nobody sleeps');
    this.#nowMs = Math.max(this.#nowMs, sleeper.wakeAtMs);
    this.#sleepers.delete(sleeper);
    sleeper.wake();
    return ms;
  }

  get sleepers(): number {
    return this.#sleepers.size;
  }
}
