import type { FailureReason } from '../../gitlab/failure-reason.ts';
import type { Clock } from '../../lib/clock.ts';
import type { JobUpdate } from '../port.ts';
import type { TraceUpload } from './trace-upload.ts';
import type { UpdatePace } from './update-pace.ts';

const DEFAULT_TRIES = 10;
const FIRST_BACKOFF_MS = 1000;
const LONGEST_BACKOFF_MS = 60 * 60_000;

/** A server that corrects the offset so often without taking a byte counts as failing. */
const MOST_CORRECTIONS = 10;

export interface FinalResult {
  readonly state: 'success' | 'failed';
  /** As the server understands it. */
  readonly failureReason?: FailureReason;
  readonly exitCode?: number;
  /** Tries of the final phase; below 1 = 10. */
  readonly retryLimit?: number;
}

export interface FinalReportParts {
  readonly upload: TraceUpload;
  readonly pace: UpdatePace;
  readonly clock: Clock;
}

/**
 * The final phase of spec protocol.md §5.5: the rest of the trace, then the job's end.
 * @returns whether the server knows the end, or does not want to.
 * @throws the signal's reason.
 */
export async function reportEnd(parts: FinalReportParts, result: FinalResult, signal: AbortSignal): Promise<boolean> {
  const { pace, clock } = parts;
  const { retryLimit = DEFAULT_TRIES, ...update } = result;
  const tries = retryLimit < 1 ? DEFAULT_TRIES : retryLimit;
  let backoffMs = FIRST_BACKOFF_MS;
  for (let attempt = 1; ; attempt++) {
    pace.reset();
    if (await tryOnce(parts, update, signal)) return true;
    if (attempt >= tries) return false;
    await clock.sleep(pace.intervalMs + backoffMs, signal);
    backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS);
  }
}

async function tryOnce(parts: FinalReportParts, update: JobUpdate, signal: AbortSignal): Promise<boolean> {
  const { upload, pace, clock } = parts;
  for (;;) {
    if (!(await flushTrace(parts, signal))) return false;
    const state = await upload.sendState(update, signal);
    if (state === 'ok' || state === 'aborted') return true;
    if (state === 'failed') return false;
    if (state === 'trace_invalid') upload.startOver();
    await clock.sleep(pace.intervalMs, signal);
  }
}

/** @returns false when this try is over. */
async function flushTrace(parts: FinalReportParts, signal: AbortSignal): Promise<boolean> {
  const { upload, pace, clock } = parts;
  let corrections = 0;
  for (;;) {
    const outcome = await upload.sendChunk(signal);
    switch (outcome) {
      case 'ok':
        corrections = 0;
        break;
      case 'range_mismatch':
        if (++corrections > MOST_CORRECTIONS) return false;
        await clock.sleep(pace.intervalMs, signal);
        break;
      case 'failed':
        return false;
      case 'nothing':
      case 'aborted':
      case 'not_found':
      case 'unreadable':
        // The end of the job is told whether or not the server has the whole trace.
        return true;
    }
  }
}
