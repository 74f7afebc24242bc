/** How many job requests of one runner may be under way (spec protocol.md §6.3). */
export interface RequestLimit {
  readonly current: number;
  /** Adapts to the outcome of a request. */
  observe(outcome: 'job' | 'no_job' | 'pushed_back'): void;
}

const FACTORS = { job: 1.1, no_job: 0.95, pushed_back: 0.5 } as const;

/**
 * @param ceiling `request_concurrency`, at least 1
 * @param isAdaptive FF_USE_ADAPTIVE_REQUEST_CONCURRENCY
 */
export function createRequestLimit(ceiling: number, isAdaptive: boolean): RequestLimit {
  let level = 1;
  return {
    get current() {
      return isAdaptive ? Math.min(Math.max(1, Math.ceil(level)), ceiling) : ceiling;
    },
    observe: (outcome) => {
      level = Math.min(ceiling, Math.max(1, level * FACTORS[outcome]));
    },
  };
}
