import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { errorMessage, MillraceError, StorageError } from '../lib/errors.ts';
import type { HeldLock } from '../platform/lock-socket.ts';
import { listFolder, makePrivateFolder, removeTree } from '../platform/private-folder.ts';
import { readStateFile, replaceStateFile } from '../platform/state-file.ts';
import { adminPath, requireAdmin } from './admin/access.ts';
import { createRunner } from './admin/runners.ts';
import { buildCore } from './build-core.ts';
import { catchUpEvents } from './engine/catch-up.ts';
import type { CoordinatorCore } from './engine/core.ts';
import type { Deadlines } from './engine/deadlines.ts';
import { claimDataFolder } from './engine/owner-lock.ts';
import { Retention } from './engine/retention.ts';
import { dropStuckJobs } from './engine/stuck-jobs.ts';
import { FaultInjector } from './faults/fault-injector.ts';
import { errorAnswer } from './http/answer.ts';
import { RequestError } from './http/request-error.ts';
import { createRouter } from './http/router.ts';
import { sendAnswer } from './http/send.ts';
import { type HttpServer, startHttpServer } from './http/server.ts';
import { type CompleteOptions, type CoordinatorOptions, completeOptions } from './options.ts';
import { coordinatorRoutes } from './routes.ts';
import { signedDownloadRoute } from './runner-api/artifact-download.ts';
import { checkCommonHeaders } from './runner-api/checks.ts';
import { isWithRunner, type RunnerRecord } from './state/records.ts';
import { CoordinatorStore } from './store/coordinator-store.ts';

export interface RunningCoordinator {
  /** How runners reach it; no `/` at the end. */
  readonly url: string;
  readonly adminToken: string;
  readonly registrationToken: string;
  /** Makes a runner whose token needs no registration. */
  createRunner(wanted: {
    readonly description: string;
    readonly tags?: readonly string[];
    /** Default true. */
    readonly runUntagged?: boolean;
    /** Takes the runner of that description that was made before, if there is one. */
    readonly reuse?: boolean;
  }): { readonly id: number; readonly token: string };
  /** Aborts every pipeline that is not over, waiting ones too. */
  abortUnfinished(): void;
  /** Ends held requests and streams and gives the data folder back. Running jobs stay running. Idempotent. */
  close(): Promise<void>;
}

const sweepIntervalMs = 30_000;

/**
 * Starts the embedded coordinator: an honest GitLab for runners (spec protocol.md §13), with what it keeps in
 * `dataDir`. Jobs that were running when an earlier one was stopped or killed go on.
 * @throws ConfigError when another coordinator uses the folder; CommandError when the address is taken; StorageError
 */
export async function startCoordinator(options: CoordinatorOptions): Promise<RunningCoordinator> {
  const complete = completeOptions(options);
  const store = openStore(complete.dataDir);
  const lock = await claimDataFolder(store.folders.owners);
  let started: StartedParts;
  try {
    started = await startParts(store, complete);
  } catch (error) {
    await lock.release();
    throw error;
  }
  const { core } = started;
  let closed: Promise<void> | undefined;
  return {
    url: core.baseUrl(),
    adminToken: store.tokens.adminToken,
    registrationToken: store.tokens.registrationToken,
    createRunner: (wanted) => {
      const known = wanted.reuse === true ? findCreatedRunner(core, wanted.description) : undefined;
      if (known !== undefined) return { id: known.id, token: known.token };
      const runner = createRunner(core, {
        description: wanted.description,
        tags: wanted.tags ?? [],
        run_untagged: wanted.runUntagged ?? true,
        paused: false,
        maximum_timeout: 0,
      });
      return { id: runner.id, token: runner.token };
    },
    abortUnfinished: () => {
      for (const pipeline of core.pipelines.all()) {
        if (pipeline.record.finishedAt === null) core.conductor.stopPipeline(pipeline, 'abort');
      }
    },
    close: () => {
      closed ??= closeParts(started, lock);
      return closed;
    },
  };
}

function openStore(dataDir: string): CoordinatorStore {
  try {
    const store = new CoordinatorStore(dataDir);
    // The default folder lies in the working directory, often a checkout: tokens do not belong into commits.
    const ignoreFile = join(dataDir, '.gitignore');
    if (readStateFile(ignoreFile) === undefined) replaceStateFile(ignoreFile, '*\n');
    return store;
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    throw new StorageError(`cannot use the data folder ${dataDir}: ${errorMessage(error)}`, {
      cause: error,
      hint: 'Give a folder that can be written to, with --data-dir.',
    });
  }
}

function findCreatedRunner(core: CoordinatorCore, description: string): RunnerRecord | undefined {
  for (const runner of core.runners.all()) {
    if (runner.origin === 'created' && runner.description === description) return runner;
  }
  return undefined;
}

interface StartedParts {
  readonly core: CoordinatorCore;
  readonly deadlines: Deadlines;
  readonly retention: Retention;
  readonly servers: readonly HttpServer[];
}

async function startParts(store: CoordinatorStore, options: CompleteOptions): Promise<StartedParts> {
  let baseUrl = options.externalUrl ?? '';
  let downloadOrigin: string | undefined;
  makePrivateFolder(store.folders.sources);
  const { core, deadlines } = await buildCore(store, options, {
    baseUrl: () => baseUrl,
    downloadOrigin: () => downloadOrigin,
  });
  const server = await startHttpServer(serverParts(core), options);
  const servers = [server];
  try {
    if (baseUrl === '') baseUrl = `http://${hostInUrl(options.host)}:${server.port}`;
    if (options.directDownload === 'redirect') {
      const storage = await startHttpServer(storageParts(core), { host: options.host, port: 0 });
      servers.push(storage);
      downloadOrigin = `http://${hostInUrl(options.host)}:${storage.port}/`;
    }
    await resumeWork(core);
  } catch (error) {
    await Promise.all(servers.map((started) => started.close()));
    throw error;
  }
  const retention = new Retention(core, deadlines);
  core.conductor.onJobEnd = (job) => {
    core.traces.release(job.id);
    if (job.pipelineId === null) retention.request();
  };
  core.conductor.onPipelineEnd = () => retention.request();
  retention.start();
  sweepRegularly(core, retention, deadlines, core.now());
  return { core, deadlines, retention, servers };
}

async function resumeWork(core: CoordinatorCore): Promise<void> {
  for (const job of core.jobs.all()) {
    if (isWithRunner(job)) removeHalfUploads(core.store.folders.artifacts(job.id));
  }
  for (const pipeline of core.pipelines.all()) {
    if (pipeline.record.finishedAt === null) await catchUpEvents(pipeline, core.traces, core.now());
  }
  core.conductor.resume();
}

/** What a killed coordinator was just receiving; its clients send it again. */
function removeHalfUploads(folder: string): void {
  for (const name of listFolder(folder)) {
    if (name.startsWith('upload-')) removeTree(join(folder, name));
  }
}

function sweepRegularly(core: CoordinatorCore, retention: Retention, deadlines: Deadlines, since: number): void {
  const intervalMs = Math.min(sweepIntervalMs, Math.max(50, core.options.stuckTimeoutMs / 4));
  deadlines.set('sweep', core.now() + intervalMs, () => {
    try {
      dropStuckJobs(core, since);
    } catch (error) {
      core.logger.error('stuck jobs could not be dropped', { error: errorMessage(error) });
    }
    retention.start();
    sweepRegularly(core, retention, deadlines, since);
  });
}

function serverParts(core: CoordinatorCore) {
  return {
    route: createRouter(coordinatorRoutes(core)),
    fallback: (request: IncomingMessage, response: ServerResponse) => answerFromSources(core, request, response),
    inspect: (request: IncomingMessage, route: { readonly path: string }) => {
      if (route.path.startsWith('/api/v4/')) checkCommonHeaders(request, core.notes);
    },
    faults: core.faults,
    logger: core.logger,
  };
}

function storageParts(core: CoordinatorCore) {
  return {
    route: createRouter([signedDownloadRoute(core)]),
    fallback: async () => false,
    inspect: () => {},
    faults: new FaultInjector([], 0),
    logger: core.logger,
  };
}

/** Git traffic and the upload of sources belong to the part that was mounted. */
async function answerFromSources(
  core: CoordinatorCore,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  if (core.sources === undefined) return false;
  const path = URL.parse(request.url ?? '/', 'http://coordinator')?.pathname ?? '/';
  if (!path.startsWith('/api/')) return core.sources.handle(request, response);
  if (request.method !== 'POST' || !uploadPath.test(path)) return false;
  try {
    requireAdmin(core, request);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    await sendAnswer(response, errorAnswer(error.status, error.message), AbortSignal.any([]));
    return true;
  }
  return core.sources.handle(request, response);
}

const uploadPath = new RegExp(`^${adminPath}/pipelines/\\d+/sources$`);

function hostInUrl(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

async function closeParts(started: StartedParts, lock: HeldLock): Promise<void> {
  started.deadlines.clearAll();
  await Promise.all(started.servers.map((server) => server.close()));
  await started.retention.idle();
  await started.core.sources?.close?.();
  for (const pipeline of started.core.pipelines.all()) pipeline.rest();
  await lock.release();
}
