import type { Clock } from '../lib/clock.ts';
import { formatGoDuration } from '../lib/go-duration.ts';
import type { Logger } from '../observability/logger.ts';

/** Stops asking a coordinator that refuses a runner (spec protocol.md §6.4). */
export interface RunnerHealth {
  /** 0 = may be asked now, else milliseconds since the epoch until which it is left alone. */
  disabledUntil(): number;
  healthy(): void;
  unhealthy(): void;
}

export interface RunnerHealthOptions {
  /** URL and short token. */
  readonly id: string;
  /** Consecutive refusals. */
  readonly limit: number;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The pause counts from the refusal that began it, so that it is a full pause however long ago the last success was. */
export function createRunnerHealth({ id, limit, intervalMs, clock, logger }: RunnerHealthOptions): RunnerHealth {
  let failures = 0;
  let pausedUntil = 0;
  return {
    disabledUntil: () => {
      if (pausedUntil === 0 || clock.now() < pausedUntil) return pausedUntil;
      pausedUntil = 0;
      failures = 0;
      logger.warn(`Runner "${id}" is not healthy, but check for a new job will be forced!`);
      return 0;
    },
    healthy: () => {
      failures = 0;
      pausedUntil = 0;
    },
    unhealthy: () => {
      failures += 1;
      if (failures < limit || pausedUntil !== 0) return;
      pausedUntil = clock.now() + intervalMs;
      logger.error(`Runner "${id}" is unhealthy and will be disabled for ${formatGoDuration(intervalMs)} seconds!`);
    },
  };
}
