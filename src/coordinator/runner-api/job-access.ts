import type { CoordinatorCore } from '../engine/core.ts';
import { type Answer, errorAnswer } from '../http/answer.ts';
import { headerOf } from '../http/body.ts';
import type { Exchange } from '../http/router.ts';
import { sameSecret } from '../http/secret-check.ts';
import { isWithRunner, type JobRecord } from '../state/records.ts';

export type JobAccess =
  | { readonly isGranted: true; readonly job: JobRecord }
  | { readonly isGranted: false; readonly answer: Answer };

/**
 * The job of a call that needs a job in progress: unknown id, wrong token and a job that no runner has are all 403
 * (spec protocol.md §13.2).
 * @param bodyToken token of the body, where there is one and the header is missing
 */
export function accessJob(core: CoordinatorCore, exchange: Exchange, bodyToken = ''): JobAccess {
  const job = core.jobs.get(Number(exchange.params['id']));
  const token = headerOf(exchange.request, 'JOB-TOKEN') || bodyToken;
  if (job === undefined || !sameSecret(token, job.token)) return { isGranted: false, answer: errorAnswer(403) };
  if (!isWithRunner(job)) {
    return { isGranted: false, answer: errorAnswer(403, '403 Forbidden - Job is not running', statusHeader(job)) };
  }
  return { isGranted: true, job };
}

/** `Job-Status` of every answer about a known job. */
export function statusHeader(job: JobRecord): Readonly<Record<string, string>> {
  return { 'Job-Status': job.status };
}

/** `Job-Status` and how soon the next part of the trace is wanted (spec protocol.md §13.3). */
export function progressHeaders(core: CoordinatorCore, job: JobRecord): Readonly<Record<string, string>> {
  const fixed = core.options.traceUpdateInterval;
  if (fixed === 'none') return statusHeader(job);
  const interval = fixed ?? (isWatched(core, job) ? 3 : 60);
  return { ...statusHeader(job), 'X-GitLab-Trace-Update-Interval': String(interval) };
}

function isWatched(core: CoordinatorCore, job: JobRecord): boolean {
  return core.pipelines.of(job)?.isWatched ?? false;
}
