import { join } from 'node:path';
import { byteFileSize } from '../../platform/byte-file.ts';
import type { CoordinatorCore } from '../engine/core.ts';
import { archiveOf } from '../engine/hand-out.ts';
import { type Answer, emptyAnswer, errorAnswer } from '../http/answer.ts';
import { headerOf } from '../http/body.ts';
import type { Exchange, Route } from '../http/router.ts';
import { sameSecret } from '../http/secret-check.ts';
import { type ArtifactRecord, isWithRunner, type JobRecord } from '../state/records.ts';

/** `GET jobs/:id/artifacts` (spec protocol.md §2.9, §13.1 row 10). */
export function artifactDownloadRoute(core: CoordinatorCore): Route {
  return {
    method: 'GET',
    path: '/api/v4/jobs/:id/artifacts',
    faultEndpoint: 'artifacts_download',
    handle: (exchange) => downloadArchive(core, exchange),
  };
}

async function downloadArchive(core: CoordinatorCore, exchange: Exchange): Promise<Answer> {
  const caller = core.jobs.byToken(headerOf(exchange.request, 'JOB-TOKEN'));
  if (caller === undefined) return errorAnswer(401);
  const job = core.jobs.get(Number(exchange.params['id']));
  if (job === undefined) return errorAnswer(404);
  if (!mayRead(core, caller, job)) return errorAnswer(403);
  const archive = archiveOf(job);
  if (archive === undefined) return errorAnswer(404);
  const origin = core.downloadOrigin();
  if (origin !== undefined && exchange.url.searchParams.get('direct_download') === 'true') {
    return emptyAnswer(302, { Location: signedLocation(core, origin, job.id) });
  }
  return fileAnswer(core, exchange, job, archive);
}

/** The token is the job's own (also after its end), or that of a job in progress in the same project. */
function mayRead(core: CoordinatorCore, caller: JobRecord, job: JobRecord): boolean {
  if (caller.id === job.id) return true;
  const project = core.pipelines.of(job)?.submission.project.path;
  return (
    isWithRunner(caller) && project !== undefined && core.pipelines.of(caller)?.submission.project.path === project
  );
}

/** A stored artifact, whole or the range asked for. */
export async function fileAnswer(
  core: CoordinatorCore,
  { request }: Pick<Exchange, 'request'>,
  job: JobRecord,
  artifact: Pick<ArtifactRecord, 'filename' | 'storedAs' | 'sizeBytes'>,
): Promise<Answer> {
  const path = join(core.store.folders.artifacts(job.id), artifact.storedAs);
  const size = artifact.sizeBytes;
  if ((await byteFileSize(path)) !== size) return errorAnswer(404);
  const headers = {
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': `attachment; filename="${artifact.filename.replaceAll(/["\\\r\n]/g, '_')}"`,
    'Accept-Ranges': 'bytes',
  };
  const range = parseByteRange(headerOf(request, 'Range'), size);
  if (range === 'unsatisfiable') return emptyAnswer(416, { 'Content-Range': `bytes */${size}` });
  if (range === undefined) return { status: 200, headers, body: { path, start: 0, end: size } };
  const contentRange = `bytes ${range.start}-${range.end - 1}/${size}`;
  return { status: 206, headers: { ...headers, 'Content-Range': contentRange }, body: { path, ...range } };
}

/** A single byte range; undefined = the whole file. `end` is exclusive. */
function parseByteRange(
  header: string,
  size: number,
): { readonly start: number; readonly end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const last = match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (match[1] === '') {
    const length = Number(match[2]);
    return length === 0 || size === 0 ? 'unsatisfiable' : { start: Math.max(0, size - length), end: size };
  }
  const start = Number(match[1]);
  return start >= size || start > last ? 'unsatisfiable' : { start, end: last + 1 };
}

function signedLocation(core: CoordinatorCore, origin: string, jobId: number): string {
  return `${origin}artifacts/${jobId}?signature=${core.downloadKey(jobId)}`;
}

/** The second origin of direct downloads: a signed address stands for the right to read; no job token is looked at. */
export function signedDownloadRoute(core: CoordinatorCore): Route {
  return {
    method: 'GET',
    path: '/artifacts/:id',
    handle: async (exchange) => {
      const job = core.jobs.get(Number(exchange.params['id']));
      const signature = exchange.url.searchParams.get('signature') ?? '';
      if (job === undefined || !sameSecret(signature, core.downloadKey(job.id))) return storageError('AccessDenied');
      if (headerOf(exchange.request, 'JOB-TOKEN') !== '') core.notes.add('token_to_storage', 'JOB-TOKEN at a redirect');
      const archive = archiveOf(job);
      return archive === undefined ? storageError('NoSuchKey') : fileAnswer(core, exchange, job, archive);
    },
  };
}

/** An object store's error, as XML. */
function storageError(code: 'AccessDenied' | 'NoSuchKey'): Answer {
  const message = code === 'AccessDenied' ? 'Request signature does not match' : 'The object does not exist';
  const body = Buffer.from(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`);
  return { status: code === 'AccessDenied' ? 403 : 404, headers: { 'Content-Type': 'application/xml' }, body };
}
