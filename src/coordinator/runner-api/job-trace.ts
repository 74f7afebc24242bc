import type { CoordinatorCore } from '../engine/core.ts';
import type { AppendResult } from '../engine/trace-book.ts';
import { type Answer, emptyAnswer, errorAnswer } from '../http/answer.ts';
import { headerOf, readBody } from '../http/body.ts';
import type { Exchange, Route } from '../http/router.ts';
import type { JobRecord } from '../state/records.ts';
import { accessJob, progressHeaders, statusHeader } from './job-access.ts';

/** Runners send up to 1 MiB at once; more is taken, and noted. */
const expectedChunkBytes = 1024 * 1024;
const maxChunkBytes = 16 * 1024 * 1024;

/** `PATCH jobs/:id/trace` (spec protocol.md §2.7, §13.3). */
export function jobTraceRoute(core: CoordinatorCore): Route {
  return {
    method: 'PATCH',
    path: '/api/v4/jobs/:id/trace',
    faultEndpoint: 'trace',
    handle: (exchange) => appendTrace(core, exchange),
  };
}

async function appendTrace(core: CoordinatorCore, exchange: Exchange): Promise<Answer> {
  const access = accessJob(core, exchange);
  if (!access.isGranted) return access.answer;
  const { job } = access;
  const range = /^(\d{1,15})-(-?\d{1,15})$/.exec(headerOf(exchange.request, 'Content-Range'));
  if (range === null) return errorAnswer(400, '400 Missing header Content-Range', statusHeader(job));
  const start = Number(range[1]);
  const bytes = await readBody(exchange.request, maxChunkBytes);
  checkChunk(core, exchange, { start, end: Number(range[2]), length: bytes.length });
  // The body took time: the job may have ended meanwhile.
  const current = accessJob(core, exchange);
  if (!current.isGranted) return current.answer;
  return answerAppend(core, job, start, await core.traces.append(job.id, start, bytes));
}

function answerAppend(core: CoordinatorCore, before: JobRecord, start: number, result: AppendResult): Answer {
  switch (result.kind) {
    case 'busy':
      return errorAnswer(409, undefined, statusHeader(before));
    case 'mismatch':
      return errorAnswer(416, undefined, { ...statusHeader(before), Range: `0-${result.size}` });
    case 'too_big': {
      const dropped = core.conductor.change(before.id, { type: 'drop', at: core.now(), reason: 'trace_size_exceeded' });
      return errorAnswer(403, undefined, statusHeader(dropped ?? before));
    }
    case 'stored': {
      if (!result.isText) core.notes.add('trace_utf8', `job ${before.id}`);
      const job = noteTrace(core, before, start, result.size - start);
      return emptyAnswer(202, { ...progressHeaders(core, job), Range: `0-${result.size}` });
    }
  }
}

function noteTrace(core: CoordinatorCore, before: JobRecord, start: number, length: number): JobRecord {
  const at = core.now();
  core.conductor.change(before.id, { type: 'call', at });
  const job = core.jobs.get(before.id) ?? before;
  if (length === 0) return job;
  if (job.firstTraceAt === null) core.jobs.patch(job.id, { firstTraceAt: at });
  core.pipelines.of(job)?.events.append({ type: 'trace', id: job.id, name: job.name, offset: start, length });
  return job;
}

function checkChunk(
  core: CoordinatorCore,
  { request, url }: Exchange,
  chunk: { readonly start: number; readonly end: number; readonly length: number },
): void {
  const { notes } = core;
  if (chunk.length > expectedChunkBytes) notes.add('trace_chunk_size', String(chunk.length));
  if (chunk.end !== chunk.start + chunk.length - 1) notes.add('trace_range_end', JSON.stringify(chunk));
  const contentType = headerOf(request, 'Content-Type');
  if (!contentType.startsWith('text/plain')) notes.add('trace_content_type', contentType);
  const debugTrace = url.searchParams.get('debug_trace') ?? '';
  if (debugTrace !== 'true' && debugTrace !== 'false') notes.add('trace_debug_flag', debugTrace);
}
