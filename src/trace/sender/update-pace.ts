const DEFAULT_INTERVAL_MS = 3000;
const LONGEST_INTERVAL_MS = 15 * 60_000;
const SHORTEST_FORCE_SEND_MS = 30_000;
const LONGEST_FORCE_SEND_MS = 30 * 60_000;
const FORCE_SEND_INTERVALS = 4;

export interface UpdatePaceOptions {
  readonly initialIntervalMs?: number | undefined;
  /** FF_USE_DYNAMIC_TRACE_FORCE_SEND_INTERVAL */
  readonly hasDynamicForceSendInterval?: boolean | undefined;
  /** Default 30000. */
  readonly shortestForceSendMs?: number | undefined;
}

/** How often the server wants to hear of a job (spec protocol.md §5.3, §5.4). */
export class UpdatePace {
  readonly #initialIntervalMs: number;
  readonly #isDynamic: boolean;
  readonly #shortestForceSendMs: number;
  #intervalMs: number;
  #forceSendMs: number;

  constructor(options: UpdatePaceOptions) {
    this.#initialIntervalMs = options.initialIntervalMs ?? DEFAULT_INTERVAL_MS;
    this.#intervalMs = this.#initialIntervalMs;
    this.#isDynamic = options.hasDynamicForceSendInterval ?? false;
    this.#shortestForceSendMs = options.shortestForceSendMs ?? SHORTEST_FORCE_SEND_MS;
    this.#forceSendMs = this.#shortestForceSendMs;
  }

  /** Time between two updates. */
  get intervalMs(): number {
    return this.#intervalMs;
  }

  /** Longest time in which the server hears nothing. */
  get forceSendMs(): number {
    return this.#forceSendMs;
  }

  /** Takes the interval that an answer named, if it did. */
  take(intervalMs: number | undefined): void {
    if (intervalMs === undefined || !(intervalMs > 0)) return;
    this.#intervalMs = Math.min(intervalMs, LONGEST_INTERVAL_MS);
    if (!this.#isDynamic) return;
    const wanted = FORCE_SEND_INTERVALS * this.#intervalMs;
    this.#forceSendMs = Math.min(Math.max(wanted, this.#shortestForceSendMs), LONGEST_FORCE_SEND_MS);
  }

  /** Forgets what the server said; for each try of the final update. */
  reset(): void {
    this.#intervalMs = this.#initialIntervalMs;
  }
}
