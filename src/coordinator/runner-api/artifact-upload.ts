import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { errorMessage } from '../../lib/errors.ts';
import { createByteFile, moveByteFile, readGzipFile, removeByteFile } from '../../platform/byte-file.ts';
import { randomHex } from '../../platform/random.ts';
import type { CoordinatorCore } from '../engine/core.ts';
import { type Answer, errorAnswer, jsonAnswer } from '../http/answer.ts';
import { bodyChunks, headerOf } from '../http/body.ts';
import { dispositionOf, MultipartError, multipartBoundary, readMultipart } from '../http/multipart.ts';
import { RequestError } from '../http/request-error.ts';
import type { Exchange, Route } from '../http/router.ts';
import { artifactKind } from '../payload/artifact-kinds.ts';
import { type DotenvResult, parseDotenv } from '../payload/dotenv.ts';
import type { ArtifactRecord, JobRecord } from '../state/records.ts';
import { accessJob, statusHeader } from './job-access.ts';

interface ReceivedFile {
  readonly path: string;
  readonly filename: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** `POST jobs/:id/artifacts` and `…/authorize` (spec protocol.md §2.8, §13.1 row 9). */
export function artifactUploadRoutes(core: CoordinatorCore): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/api/v4/jobs/:id/artifacts',
      faultEndpoint: 'artifacts_upload',
      handle: (exchange) => uploadArtifact(core, exchange),
    },
    {
      method: 'POST',
      path: '/api/v4/jobs/:id/artifacts/authorize',
      handle: (exchange) => authorizeUpload(core, exchange),
    },
  ];
}

async function authorizeUpload(core: CoordinatorCore, exchange: Exchange): Promise<Answer> {
  const access = accessJob(core, exchange);
  if (!access.isGranted) return access.answer;
  const announced = Number(exchange.url.searchParams.get('filesize') ?? 0);
  if (announced > core.options.maxArtifactBytes) return errorAnswer(413);
  const limit = Number.isFinite(core.options.maxArtifactBytes) ? { MaximumSize: core.options.maxArtifactBytes } : {};
  return jsonAnswer(200, limit, { 'Content-Type': 'application/vnd.gitlab-workhorse+json' });
}

async function uploadArtifact(core: CoordinatorCore, exchange: Exchange): Promise<Answer> {
  const access = accessJob(core, exchange);
  if (!access.isGranted) return access.answer;
  const query = exchange.url.searchParams;
  const kind = artifactKind(query.get('artifact_type') ?? '', query.get('artifact_format') ?? '');
  if (typeof kind === 'string') return errorAnswer(400, kind);
  const boundary = multipartBoundary(headerOf(exchange.request, 'Content-Type'));
  if (boundary === undefined) return errorAnswer(400, 'the body is not multipart/form-data');
  // The form around the file is small; a declared length far beyond the limit need not be read.
  if (Number(headerOf(exchange.request, 'Content-Length')) > core.options.maxArtifactBytes + 64 * 1024) {
    return errorAnswer(413);
  }
  core.conductor.change(access.job.id, { type: 'call', at: core.now() });
  const file = await receiveFile(core, exchange, access.job.id, boundary);
  if (file === undefined) return errorAnswer(400, 'file is missing');
  try {
    return await keepArtifact(core, exchange, file, { ...kind, expireIn: query.get('expire_in') ?? '' });
  } finally {
    await removeByteFile(file.path);
  }
}

/**
 * Streams the part `file` to a temporary file.
 * @returns undefined when there is no such part
 * @throws RequestError 400, 413
 */
async function receiveFile(
  core: CoordinatorCore,
  exchange: Exchange,
  jobId: number,
  boundary: string,
): Promise<ReceivedFile | undefined> {
  const path = join(core.store.folders.artifacts(jobId), `upload-${randomHex(8)}`);
  const writer = await createByteFile(path);
  const hash = createHash('sha256');
  let filename: string | undefined;
  let isInFile = false;
  let sizeBytes = 0;
  try {
    for await (const event of readMultipart(bodyChunks(exchange.request), boundary)) {
      if (event.type === 'part') {
        const disposition = dispositionOf(event.headers);
        isInFile = disposition.field === 'file' && filename === undefined;
        if (isInFile) filename = disposition.filename ?? '';
        else core.notes.add('artifact_parts', disposition.field);
      } else if (event.type === 'data' && isInFile) {
        sizeBytes += event.bytes.length;
        if (sizeBytes > core.options.maxArtifactBytes) throw new RequestError(413, '413 Payload Too Large');
        hash.update(event.bytes);
        await writer.write(event.bytes);
      }
    }
  } catch (error) {
    await writer.close();
    await removeByteFile(path);
    if (error instanceof MultipartError) throw new RequestError(400, error.message, { cause: error });
    throw error;
  }
  await writer.close();
  if (filename === undefined || filename === '') {
    await removeByteFile(path);
    return undefined;
  }
  return { path, filename, sizeBytes, sha256: hash.digest('hex') };
}

async function keepArtifact(
  core: CoordinatorCore,
  exchange: Exchange,
  file: ReceivedFile,
  kind: { readonly type: string; readonly format: string; readonly expireIn: string },
): Promise<Answer> {
  const dotenv = kind.type === 'dotenv' ? await readDotenv(core, file.path) : undefined;
  if (dotenv?.ok === false) return errorAnswer(400, dotenv.message);
  const storedAs = `${kind.type}-${randomHex(4)}`;
  const stored = join(core.store.folders.artifacts(Number(exchange.params['id'])), storedAs);
  await moveByteFile(file.path, stored);
  const { filename, sizeBytes, sha256 } = file;
  const answer = recordArtifact(core, exchange, { ...kind, storedAs, filename, sizeBytes, sha256 }, dotenv);
  // Not recorded: nobody will ask for it.
  if (!isStored(core, exchange, storedAs)) await removeByteFile(stored);
  return answer;
}

/** Without waiting in between, so that of two uploads at once only one gets in. */
function recordArtifact(
  core: CoordinatorCore,
  exchange: Exchange,
  artifact: ArtifactRecord,
  dotenv: Extract<DotenvResult, { ok: true }> | undefined,
): Answer {
  // The upload took time: the job may have ended meanwhile.
  const access = accessJob(core, exchange);
  if (!access.isGranted) return access.answer;
  const { job } = access;
  const existing = job.artifacts.find((other) => other.type === artifact.type);
  if (existing?.sha256 === artifact.sha256) return uploadedAnswer(job);
  if (existing !== undefined) {
    return errorAnswer(400, 'another artifact of the same type already exists', statusHeader(job));
  }
  core.jobs.patch(job.id, {
    artifacts: [...job.artifacts, artifact],
    ...(dotenv === undefined ? {} : { dotenv: [...dotenv.variables] }),
  });
  return uploadedAnswer(job);
}

function isStored(core: CoordinatorCore, exchange: Exchange, storedAs: string): boolean {
  const job = core.jobs.get(Number(exchange.params['id']));
  return job?.artifacts.some((artifact) => artifact.storedAs === storedAs) ?? false;
}

function uploadedAnswer(job: JobRecord): Answer {
  return jsonAnswer(201, { message: '201 Created' }, statusHeader(job));
}

async function readDotenv(core: CoordinatorCore, path: string): Promise<DotenvResult> {
  const limits = core.options.dotenvLimits;
  try {
    return parseDotenv(await readGzipFile(path, limits.maxBytes + 1), limits);
  } catch (error) {
    if (error instanceof RangeError) return parseDotenv(new Uint8Array(limits.maxBytes + 1), limits);
    return { ok: false, message: `Invalid Format: the dotenv report is not gzip (${errorMessage(error)})` };
  }
}
