import { unreachable } from '../../lib/unreachable.ts';
import { type HandOut, isCompleted, isWithRunner, type JobRecord } from './records.ts';

/** Everything that can happen to one attempt of a job. Times are milliseconds since the epoch. */
export type JobEvent =
  | { readonly type: 'enqueue'; readonly at: number }
  | { readonly type: 'wait_for_resource' }
  | { readonly type: 'hold_for_hand' }
  | { readonly type: 'schedule'; readonly startAt: number }
  | { readonly type: 'skip'; readonly at: number }
  /** A skipped job is considered again. */
  | { readonly type: 'reset' }
  | { readonly type: 'hand_out'; readonly handOut: HandOut }
  /** The runner never took it: back to the queue under a new token. */
  | { readonly type: 'hand_back'; readonly at: number; readonly token: string }
  /** An authenticated call that shows the job is being worked on. */
  | { readonly type: 'call'; readonly at: number }
  | { readonly type: 'acknowledge'; readonly at: number }
  | { readonly type: 'succeed'; readonly at: number }
  | { readonly type: 'fail'; readonly at: number; readonly reason: string; readonly exitCode: number | null }
  /** The coordinator gives up on it. */
  | { readonly type: 'drop'; readonly at: number; readonly reason: string }
  | { readonly type: 'cancel'; readonly at: number }
  | { readonly type: 'abort'; readonly at: number };

/**
 * The job after an event (spec protocol.md §13.2, local-pipeline.md §10).
 * @returns undefined when the event does not apply in the job's state.
 */
export function applyJobEvent(job: JobRecord, event: JobEvent): JobRecord | undefined {
  switch (event.type) {
    case 'enqueue':
      return isAtRest(job) ? { ...job, status: 'pending', pendingAt: event.at } : undefined;
    case 'wait_for_resource':
      return isAtRest(job) ? { ...job, status: 'waiting_for_resource' } : undefined;
    case 'hold_for_hand':
      return job.status === 'created' ? { ...job, status: 'manual' } : undefined;
    case 'schedule':
      return job.status === 'created' ? { ...job, status: 'scheduled', scheduledFor: event.startAt } : undefined;
    case 'skip':
      return job.status === 'created' ? { ...job, status: 'skipped', finishedAt: event.at } : undefined;
    case 'reset':
      return job.status === 'skipped' ? { ...job, status: 'created', finishedAt: null } : undefined;
    case 'hand_out':
      return handOut(job, event.handOut);
    case 'hand_back':
      return handBack(job, event.at, event.token);
    case 'call':
      return noteCall(job, event.at, false);
    case 'acknowledge':
      return noteCall(job, event.at, true);
    case 'succeed':
      return finish(job, event.at, { status: 'success' });
    case 'fail':
      return finish(job, event.at, { status: 'failed', failureReason: event.reason, exitCode: event.exitCode });
    case 'drop':
      return drop(job, event.at, event.reason);
    case 'cancel':
      return cancel(job, event.at);
    case 'abort':
      return isCompleted(job.status) ? undefined : ended(job, event.at, { status: 'canceled' });
    default:
      return unreachable(event);
  }
}

function isAtRest(job: JobRecord): boolean {
  return ['created', 'manual', 'scheduled', 'waiting_for_resource'].includes(job.status);
}

function handOut(job: JobRecord, handOut: HandOut): JobRecord | undefined {
  if (job.status !== 'pending' || job.handOut !== null) return undefined;
  if (handOut.isTwoPhase) return { ...job, handOut };
  return { ...job, handOut, status: 'running', startedAt: handOut.at };
}

function handBack(job: JobRecord, at: number, token: string): JobRecord | undefined {
  const hasCalled = job.handOut === null || job.handOut.lastCallAt !== null;
  if (hasCalled || !isWithRunner(job) || job.status === 'canceling') return undefined;
  return { ...job, status: 'pending', token, handOut: null, pendingAt: at, startedAt: null };
}

function noteCall(job: JobRecord, at: number, isAcknowledgement: boolean): JobRecord | undefined {
  if (job.handOut === null || !isWithRunner(job)) return undefined;
  const acknowledgedAt = isAcknowledgement ? (job.handOut.acknowledgedAt ?? at) : job.handOut.acknowledgedAt;
  const handOut = { ...job.handOut, lastCallAt: at, acknowledgedAt };
  if (job.status !== 'pending') return { ...job, handOut };
  return { ...job, handOut, status: 'running', startedAt: at };
}

function finish(
  job: JobRecord,
  at: number,
  outcome: Pick<JobRecord, 'status'> & Partial<JobRecord>,
): JobRecord | undefined {
  if (!isWithRunner(job)) return undefined;
  const told = { ...job, finalUpdateAt: at };
  return ended(told, at, job.status === 'canceling' ? { status: 'canceled' } : outcome);
}

function drop(job: JobRecord, at: number, reason: string): JobRecord | undefined {
  if (isCompleted(job.status)) return undefined;
  if (job.status === 'canceling') return ended(job, at, { status: 'canceled' });
  return ended(job, at, { status: 'failed', failureReason: reason });
}

function cancel(job: JobRecord, at: number): JobRecord | undefined {
  if (isCompleted(job.status) || job.status === 'canceling') return undefined;
  if (job.status === 'running' && job.handOut?.cancelsGracefully === true) return { ...job, status: 'canceling' };
  return ended(job, at, { status: 'canceled' });
}

function ended(job: JobRecord, at: number, outcome: Partial<JobRecord>): JobRecord {
  return { ...job, ...outcome, finishedAt: at };
}
