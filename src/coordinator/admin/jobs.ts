import * as z from 'zod';
import type { JsonValue } from '../../lib/json.ts';
import type { CoordinatorCore } from '../engine/core.ts';
import { blankJob } from '../engine/pipeline-book.ts';
import { type Answer, jsonAnswer } from '../http/answer.ts';
import { readShape } from '../http/body.ts';
import { RequestError } from '../http/request-error.ts';
import type { Exchange, Route } from '../http/router.ts';
import { fileAnswer } from '../runner-api/artifact-download.ts';
import type { JobRecord } from '../state/records.ts';
import { variableSchema } from '../submission.ts';
import { adminRoute, findJob } from './access.ts';
import { jobView } from './views.ts';

const payloadLimit = 16 * 1024 * 1024;
const rawPayload = z.record(z.string(), z.unknown());
const playBody = z.object({ variables: z.array(variableSchema).default([]) });

/** Jobs of the administration API. */
export function jobRoutes(core: CoordinatorCore): readonly Route[] {
  return [
    adminRoute(core, 'POST', 'jobs', (exchange) => submitRawJob(core, exchange)),
    adminRoute(core, 'GET', 'jobs', async (exchange) => listJobs(core, exchange)),
    adminRoute(core, 'GET', 'jobs/:id', async (exchange) => jsonAnswer(200, jobView(core, findJob(core, exchange)))),
    adminRoute(core, 'GET', 'jobs/:id/trace', (exchange) => readTrace(core, exchange)),
    adminRoute(core, 'GET', 'jobs/:id/artifacts', async (exchange) =>
      jsonAnswer(200, jobView(core, findJob(core, exchange)).artifacts),
    ),
    adminRoute(core, 'GET', 'jobs/:id/artifacts/:type', (exchange) => readArtifact(core, exchange)),
    adminRoute(core, 'POST', 'jobs/:id/cancel', async (exchange) => stop(core, exchange, 'cancel')),
    adminRoute(core, 'POST', 'jobs/:id/abort', async (exchange) => stop(core, exchange, 'abort')),
    adminRoute(core, 'POST', 'jobs/:id/play', (exchange) => play(core, exchange)),
  ];
}

/** Takes a payload that is handed out as it is, but for id and token. `?tags=a,b` chooses the runner. */
async function submitRawJob(core: CoordinatorCore, { request, url }: Exchange): Promise<Answer> {
  const payload = (await readShape(request, payloadLimit, rawPayload)) as Record<string, JsonValue>;
  const at = core.now();
  const id = core.counters.takeJobIds(1);
  const tags = (url.searchParams.get('tags') ?? '').split(',').filter((tag) => tag !== '');
  const job: JobRecord = { ...blankJob(id, at), ...namesOf(payload['job_info']), tags };
  core.store.savePayload(id, payload);
  core.jobs.add(job);
  const pending = core.conductor.change(id, { type: 'enqueue', at });
  return jsonAnswer(201, jobView(core, pending ?? job));
}

function namesOf(jobInfo: JsonValue | undefined): Pick<JobRecord, 'name' | 'stage'> {
  const text = z.string().catch('');
  const parsed = z.object({ name: text, stage: text }).safeParse(jobInfo);
  return parsed.success ? parsed.data : { name: '', stage: '' };
}

function listJobs(core: CoordinatorCore, { url }: Exchange): Answer {
  const status = url.searchParams.get('status');
  const jobs = [...core.jobs.all()].filter((job) => status === null || job.status === status);
  return jsonAnswer(
    200,
    jobs.sort((left, right) => right.id - left.id).map((job) => jobView(core, job)),
  );
}

async function readTrace(core: CoordinatorCore, exchange: Exchange): Promise<Answer> {
  const job = findJob(core, exchange);
  const offset = exchange.url.searchParams.get('offset') ?? '0';
  if (!/^\d{1,15}$/.test(offset)) throw new RequestError(400, `offset=${offset} is not a number of bytes`);
  const size = await core.traces.size(job.id);
  const start = Math.min(Number(offset), size);
  return {
    status: 200,
    headers: { 'Content-Type': 'text/plain; charset=utf-8' },
    body: { path: core.store.folders.trace(job.id), start, end: size },
  };
}

async function readArtifact(core: CoordinatorCore, exchange: Exchange): Promise<Answer> {
  const job = findJob(core, exchange);
  const type = exchange.params['type'];
  const artifact = job.artifacts.find((candidate) => candidate.type === type);
  if (artifact === undefined) throw new RequestError(404, `job ${job.id} has no artifact of type ${type}`);
  return fileAnswer(core, exchange, job, artifact);
}

function stop(core: CoordinatorCore, exchange: Exchange, how: 'cancel' | 'abort'): Answer {
  const job = findJob(core, exchange);
  const stopped = core.conductor.change(job.id, { type: how, at: core.now() });
  if (stopped === undefined && job.status !== 'canceling') {
    throw new RequestError(409, `job ${job.id} is ${job.status}: there is nothing to stop`);
  }
  return jsonAnswer(200, jobView(core, stopped ?? job));
}

async function play(core: CoordinatorCore, exchange: Exchange): Promise<Answer> {
  const job = findJob(core, exchange);
  const { variables } = await readShape(exchange.request, payloadLimit, playBody);
  const played = core.conductor.play(job.id, variables);
  if (played === undefined) {
    throw new RequestError(409, `job ${job.id} is ${job.status}: only manual and scheduled jobs can be played`);
  }
  return jsonAnswer(200, jobView(core, played));
}
