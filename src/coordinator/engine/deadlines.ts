import { callAt } from '../../platform/timers.ts';

/** Named points in time, each of which is met once, replaced or taken back. */
export class Deadlines {
  readonly #timers = new Map<string, () => void>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param at milliseconds since the epoch */
  set(name: string, at: number, callback: () => void): void {
    this.clear(name);
    this.#timers.set(
      name,
      callAt(at, this.#now, () => {
        this.#timers.delete(name);
        callback();
      }),
    );
  }

  clear(name: string): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }

  clearAll(): void {
    for (const stop of this.#timers.values()) stop();
    this.#timers.clear();
  }
}
