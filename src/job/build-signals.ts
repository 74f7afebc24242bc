import { AbortReason, type AbortReasonKind } from '../lib/abort.ts';
import { callAt } from '../platform/timers.ts';
import type { RecordedStop } from './history.ts';

/** Where a graceful cancel reaches: the job before the script phase, the script in it, nothing after it. */
type CancelPhase = 'before_script' | 'script' | 'after_script';

/**
 * The stop signals of one build. First reason wins on each.
 *
 *     job     server's abort, interrupt, job timeout, cancel before the script phase
 *     script  the above, cancel in the script phase, script timeout
 */
export class BuildSignals {
  readonly #job = new AbortController();
  readonly #script = new AbortController();
  readonly #record: (scope: 'job' | 'script', reason: AbortReason) => void;
  #phase: CancelPhase = 'before_script';

  /** `record` is called for each stop that counts, before it takes effect. */
  constructor(record: (scope: 'job' | 'script', reason: AbortReason) => void) {
    this.#record = record;
  }

  get job(): AbortSignal {
    return this.#job.signal;
  }

  /** Aborted with whatever stops the user's script. */
  get script(): AbortSignal {
    return AbortSignal.any([this.#script.signal, this.#job.signal]);
  }

  enterPhase(phase: CancelPhase): void {
    this.#phase = phase;
  }

  /** The server asks to cancel gracefully (spec job-execution.md §8). */
  cancel(): void {
    switch (this.#phase) {
      case 'before_script':
        this.#stop('job', new AbortReason('canceled'));
        break;
      case 'script':
        this.#stop('script', new AbortReason('canceled'));
        break;
      case 'after_script':
        break;
    }
  }

  /** Everything stops now. */
  stopJob(kind: AbortReasonKind, message: string): void {
    this.#stop('job', new AbortReason(kind, message));
  }

  /** Stops that an earlier manager recorded, applied once its stages have been replayed. */
  apply(stops: readonly RecordedStop[]): void {
    for (const { scope, reason, message } of stops) this.#controller(scope).abort(new AbortReason(reason, message));
  }

  #stop(scope: 'job' | 'script', reason: AbortReason): void {
    if (this.#controller(scope).signal.aborted) return;
    this.#record(scope, reason);
    this.#controller(scope).abort(reason);
  }

  #controller(scope: 'job' | 'script'): AbortController {
    return scope === 'job' ? this.#job : this.#script;
  }
}

/** A signal with a deadline of its own below another one. Dispose it when the work is done. */
export interface DeadlineSignal {
  readonly signal: AbortSignal;
  readonly dispose: () => void;
}

/**
 * A signal that is aborted as a stage timeout at a point in time, or with `parent`.
 * `atMs` undefined = no deadline of its own.
 */
export function withDeadline(
  parent: AbortSignal,
  atMs: number | undefined,
  now: () => number,
  message: string,
): DeadlineSignal {
  if (atMs === undefined) return { signal: parent, dispose: () => {} };
  const controller = new AbortController();
  const dispose = callAt(atMs, now, () => controller.abort(new AbortReason('stage_timeout', message)));
  return { signal: AbortSignal.any([parent, controller.signal]), dispose };
}
