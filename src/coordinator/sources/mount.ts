import type { IncomingMessage, ServerResponse } from 'node:http';
import { AbortReason } from '../../lib/abort.ts';
import { errorMessage, MillraceError } from '../../lib/errors.ts';
import { defaultRepositoryUrl, type SourcesContext, type SourcesFactory, type SourcesMount } from '../sources-mount.ts';
import {
  type ServedRepository,
  type SourcesManifest,
  sourcesManifestSchema,
  sourcesUploadType,
} from '../submission.ts';
import { jobTokenOf } from './credentials.ts';
import { answerBatch, sendObject } from './lfs.ts';
import { receiveSources, UploadError } from './receive-sources.ts';
import { answersByRepository, type RepositoryAnswers } from './repository-answers.ts';
import { routeOf, type SourcesRoute } from './routes.ts';
import { sendJson, sendText } from './send.ts';
import { openSourcesStore, type SourcesStore } from './sources-store.ts';
import { advertiseRefs, foresee, readBody, type Served, uploadPack } from './upload-pack.ts';

export interface SourcesServerOptions {
  /** Environment that git runs in: `PATH`, `HOME`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A client with the administrator's token may name folders of this machine instead of uploading. */
  readonly trustsLocalFolders: boolean;
}

interface Server extends SourcesServerOptions {
  readonly context: SourcesContext;
  readonly store: SourcesStore;
  readonly closing: AbortSignal;
  readonly answersOf: (repository: ServedRepository) => RepositoryAnswers;
}

/**
 * Serves the sources of pipelines to their jobs: git's smart HTTP protocol, fetching only, and Git LFS downloads, for
 * as long as the job token lives; and takes their upload.
 */
export function sourcesServer(options: SourcesServerOptions): SourcesFactory {
  return (context): SourcesMount => {
    const closing = new AbortController();
    const server: Server = {
      ...options,
      context,
      store: openSourcesStore(context.dataDir),
      closing: closing.signal,
      answersOf: answersByRepository(),
    };
    return {
      handle: async (request, response) => await handle(server, request, response),
      repositoryUrl: ({ baseUrl, projectPath, jobToken }) => defaultRepositoryUrl(baseUrl, projectPath, jobToken),
      close: async () => closing.abort(new AbortReason('finished', 'the coordinator closes')),
      removePipeline: async (pipelineId) => await server.store.remove(pipelineId),
    };
  };
}

async function handle(server: Server, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  const url = request.url ?? '/';
  const upload = /^\/api\/millrace\/v1\/pipelines\/(\d+)\/sources(?:\?|$)/.exec(url);
  if (upload?.[1] !== undefined) {
    await takeUpload(server, Number(upload[1]), request, response);
    return true;
  }
  const route = routeOf(request.method ?? 'GET', url);
  if (route === undefined) return false;
  await serve(server, route, request, response);
  return true;
}

async function serve(
  server: Server,
  route: SourcesRoute,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const token = jobTokenOf(request.headers.authorization);
  const job = token === undefined ? undefined : server.context.jobTokenState(token);
  if (job === undefined || !job.alive) {
    request.resume();
    sendText(response, 401, 'the token of a running job is needed', { 'WWW-Authenticate': 'Basic realm="millrace"' });
    return;
  }
  if (route.kind === 'push') {
    request.resume();
    sendText(response, 403, 'the sources of a pipeline are read-only');
    return;
  }
  const { pipelineId } = job;
  const repository = pipelineId === null ? undefined : await server.store.find(pipelineId, route.path);
  if (repository === undefined) {
    request.resume();
    sendText(
      response,
      404,
      `no sources at ${route.path}: a submodule must be checked out where the pipeline was started`,
    );
    return;
  }
  switch (route.kind) {
    case 'info_refs':
      return await advertiseRefs(served(server, repository), request, response);
    case 'upload_pack':
      return await uploadPack(served(server, repository), request, response);
    case 'lfs_batch':
      return await answerBatch(repository.lfs_stores, request, response);
    case 'lfs_object':
      return await sendObject(repository.lfs_stores, route.oid, request, response);
    case 'lfs_unknown':
      request.resume();
      sendJson(response, 404, { message: 'only downloads are served here' }, 'application/vnd.git-lfs+json');
      return;
  }
}

function served({ env, answersOf }: Server, repository: ServedRepository): Served {
  return { directory: repository.directory, env, answers: answersOf(repository) };
}

async function takeUpload(
  server: Server,
  pipelineId: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!server.context.hasPipeline(pipelineId)) {
    request.resume();
    sendJson(response, 404, { message: '404 Not Found' });
    return;
  }
  try {
    const isComplete = await storeUpload(server, pipelineId, request, response);
    if (isComplete) server.context.sourcesReady(pipelineId);
    sendJson(response, 201, { complete: isComplete });
    if (isComplete) await foreseeFirstJob(server, pipelineId);
  } catch (error) {
    if (response.closed || response.destroyed) return;
    request.resume();
    const isTheirs = error instanceof UploadError || error instanceof MillraceError || error instanceof SyntaxError;
    if (!isTheirs) throw error;
    sendJson(response, 400, { message: errorMessage(error) });
  }
}

async function foreseeFirstJob(server: Server, pipelineId: number): Promise<void> {
  const [repository] = await server.store.all(pipelineId);
  if (repository === undefined || server.closing.aborted) return;
  await foresee(served(server, repository), server.closing).catch(() => {});
}

async function storeUpload(
  server: Server,
  pipelineId: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  if (request.headers['content-type']?.startsWith(sourcesUploadType) === true) {
    const controller = new AbortController();
    const onClose = (): void => controller.abort(new AbortReason('finished', 'the client went away'));
    response.once('close', onClose);
    try {
      return await receiveSources(server.store, pipelineId, request, server.env, controller.signal);
    } finally {
      response.off('close', onClose);
    }
  }
  if (!server.trustsLocalFolders) throw new UploadError(`the content type must be ${sourcesUploadType}`);
  await server.store.save(pipelineId, await readManifest(request));
  return true;
}

async function readManifest(request: IncomingMessage): Promise<SourcesManifest> {
  const body: unknown = JSON.parse((await readBody(request, 16 * 1024 * 1024)).toString('utf8'));
  const parsed = sourcesManifestSchema.safeParse(body);
  if (!parsed.success) throw new UploadError(`the body does not describe sources: ${parsed.error.message}`);
  return parsed.data;
}
