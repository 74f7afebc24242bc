import * as z from 'zod';
import type { CoordinatorCore } from '../engine/core.ts';
import { type Answer, errorAnswer, textAnswer } from '../http/answer.ts';
import { readShape } from '../http/body.ts';
import type { Exchange, Route } from '../http/router.ts';
import { acceptFailureReason } from '../payload/failure-reasons.ts';
import { findCoverage } from '../state/coverage.ts';
import type { JobRecord } from '../state/records.ts';
import { checkTokenHeader } from './checks.ts';
import { accessJob, progressHeaders, statusHeader } from './job-access.ts';

const bodyLimit = 256 * 1024;
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const updateBody = z.object({
  token: text,
  state: text,
  failure_reason: text,
  checksum: text,
  exit_code: z.number().int().nullish(),
  output: z
    .object({ checksum: text, bytesize: z.number().int().nullish() })
    .nullish()
    .transform((output) => output ?? { checksum: '', bytesize: null }),
  info: z.unknown().optional(),
});
type Update = z.output<typeof updateBody>;

/** How often a final update that does not fit the trace is refused in the strict modes. */
const maxRefusals = 5;
const coverageTailBytes = 4 * 1024 * 1024;

/** What is remembered of a final update that was not accepted yet. */
interface OpenEnd {
  readonly since: number;
  deferrals: number;
  refusals: number;
}

/** `PUT jobs/:id` (spec protocol.md §2.6, §13.2). */
export function jobUpdateRoute(core: CoordinatorCore): Route {
  const openEnds = new Map<number, OpenEnd>();
  return {
    method: 'PUT',
    path: '/api/v4/jobs/:id',
    faultEndpoint: 'job_update',
    handle: (exchange) => updateJob(core, openEnds, exchange),
  };
}

async function updateJob(core: CoordinatorCore, openEnds: Map<number, OpenEnd>, exchange: Exchange): Promise<Answer> {
  const update = await readShape(exchange.request, bodyLimit, updateBody);
  checkTokenHeader(exchange.request, 'JOB-TOKEN', update.token, core.notes);
  if (update.info === undefined) core.notes.add('update_info', 'PUT without info');
  const access = accessJob(core, exchange, update.token);
  if (!access.isGranted) return access.answer;
  const { job } = access;
  switch (update.state) {
    case 'running':
      core.conductor.change(job.id, { type: 'acknowledge', at: core.now() });
      return stateAnswer(core, job);
    case 'pending':
      core.conductor.change(job.id, { type: 'call', at: core.now() });
      return stateAnswer(core, job);
    case 'success':
    case 'failed':
      return endJob(core, openEnds, job, update);
    case '':
      return stateAnswer(core, job);
    default:
      return errorAnswer(400, { state: [`${update.state} is not a valid state`] }, statusHeader(job));
  }
}

function stateAnswer(core: CoordinatorCore, before: JobRecord): Answer {
  return textAnswer(200, '200', progressHeaders(core, core.jobs.get(before.id) ?? before));
}

async function endJob(
  core: CoordinatorCore,
  openEnds: Map<number, OpenEnd>,
  job: JobRecord,
  update: Update,
): Promise<Answer> {
  const openEnd = openEnds.get(job.id) ?? { since: core.now(), deferrals: 0, refusals: 0 };
  openEnds.set(job.id, openEnd);
  const report = await compareWithTrace(core, job, update);
  const objection = objectionTo(core, job, openEnd, report);
  if (objection === 202) return deferredAnswer(core, job, openEnd);
  if (objection === 412) {
    openEnd.refusals += 1;
    if (core.options.traceCheck === 'strict_reset') await core.traces.allowReset(job.id);
    return errorAnswer(412, undefined, statusHeader(job));
  }
  openEnds.delete(job.id);
  await noteCoverage(core, job);
  core.jobs.note(job.id, { traceReport: report });
  const ended = core.conductor.change(
    job.id,
    update.state === 'success'
      ? { type: 'succeed', at: core.now() }
      : {
          type: 'fail',
          at: core.now(),
          reason: acceptFailureReason(update.failure_reason),
          exitCode: update.exit_code ?? null,
        },
  );
  // It may have ended otherwise while the trace was read.
  if (ended === undefined) return errorAnswer(403, undefined, statusHeader(core.jobs.get(job.id) ?? job));
  core.logger.info('job ended', { job: job.id, status: ended.status, reason: ended.failureReason ?? undefined });
  // Without Job-Status: clients read `failed` or `canceled` there as a job that was taken from them.
  return textAnswer(200, '200');
}

type TraceReport = JobRecord['traceReport'];

async function compareWithTrace(core: CoordinatorCore, job: JobRecord, update: Update): Promise<TraceReport> {
  const checksum = update.output.checksum || update.checksum;
  if (checksum === '') return null;
  const byteSize = update.output.bytesize ?? 0;
  const isEqual = byteSize === (await core.traces.size(job.id)) && checksum === (await core.traces.checksum(job.id));
  return { checksum, byteSize, isEqual };
}

/** 202 = not yet, 412 = send the trace again, undefined = accepted. */
function objectionTo(
  core: CoordinatorCore,
  job: JobRecord,
  openEnd: OpenEnd,
  report: TraceReport,
): 202 | 412 | undefined {
  const { options } = core;
  if (report === null) return undefined;
  if (openEnd.deferrals < options.pendingFinalUpdates) return 202;
  if (core.traces.isBusy(job.id)) return 202;
  if (report.isEqual) return undefined;
  if (options.traceCheck !== 'record') return openEnd.refusals < maxRefusals ? 412 : undefined;
  return isTraceOnItsWay(core, job, openEnd, report) ? 202 : undefined;
}

/** The client speaks of more bytes than came: it gets a chance to send them. */
function isTraceOnItsWay(
  core: CoordinatorCore,
  job: JobRecord,
  openEnd: OpenEnd,
  report: NonNullable<TraceReport>,
): boolean {
  const isLong = report.byteSize > (core.traces.knownSize(job.id) ?? 0);
  return isLong && core.now() - openEnd.since < core.options.incompleteTraceWaitMs;
}

/** GitLab's growing interval while it stores a trace: 1,1,1,1,2,2,4,… seconds, at most 64. */
function deferredAnswer(core: CoordinatorCore, job: JobRecord, openEnd: OpenEnd): Answer {
  const growing = Math.min(64, 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, openEnd.deferrals))) - 1));
  const { traceUpdateInterval } = core.options;
  const seconds = typeof traceUpdateInterval === 'number' ? traceUpdateInterval : growing;
  openEnd.deferrals += 1;
  return textAnswer(202, '202', { ...statusHeader(job), 'X-GitLab-Trace-Update-Interval': String(seconds) });
}

async function noteCoverage(core: CoordinatorCore, job: JobRecord): Promise<void> {
  const pattern = core.pipelines.of(job)?.definition(job.name)?.coverage ?? '';
  if (pattern === '') return;
  const size = await core.traces.size(job.id);
  const tail = await core.traces.read(job.id, Math.max(0, size - coverageTailBytes), size);
  const coverage = findCoverage(tail.toString('utf8'), pattern);
  if (coverage !== undefined) core.jobs.note(job.id, { coverage });
}
