import { join } from 'node:path';
import { composeManager } from '../compose.ts';
import { embeddedRunner } from '../config/embedded-runner.ts';
import type { RunnerConfig } from '../config/runner-config.ts';
import { generateSystemId } from '../config/system-id.ts';
import { sourcesServer } from '../coordinator/sources/mount.ts';
import { type RunningCoordinator, startCoordinator } from '../coordinator/start.ts';
import { type HostPlatform, hostPlatform } from '../gitlab/compatibility.ts';
import { type CoordinatorClients, createCoordinatorClients } from '../gitlab/coordinator-clients.ts';
import type { Clock } from '../lib/clock.ts';
import { CommandError } from '../lib/errors.ts';
import { type RunnerManager, startRunnerManager } from '../manager/runner-manager.ts';
import type { Logger } from '../observability/logger.ts';
import { makePrivateFolder } from '../platform/private-folder.ts';
import { selfCommand } from '../platform/self-command.ts';
import { readStateFile, replaceStateFile } from '../platform/state-file.ts';
import { systemClock } from '../platform/system-clock.ts';
import type { ManagerParts } from './run.ts';

export interface EmbeddedOptions {
  /** Folder of a state slot that this process holds. */
  readonly folder: string;
  readonly concurrency: number;
  readonly keep: { readonly pipelines: number; readonly days: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
}

/** A coordinator and a runner manager in this process. */
export interface Embedded {
  readonly url: string;
  readonly adminToken: string;
  /** The runner asks for jobs from now on: before the first is there, it would hear that there is none. */
  takeJobs(): void;
  /** Waits for what runs and ends both. Idempotent. */
  close(): Promise<void>;
  /** Aborts what runs, then as `close`. */
  stop(signalName: string): void;
}

/** How long jobs have to end once they are aborted. */
const stopTimeoutMs = 20_000;
const checkIntervalMs = 50;
/** Login shells that read their profile while the pipeline is compiled. More of them would hold each other up. */
const mostStandbyShells = 2;
/** Output appears this soon. */
const traceIntervalMs = 100;
/** A cancel is heard of this soon by a job that prints nothing. */
const signOfLifeIntervalMs = 500;

/** Starts a coordinator on loopback and a manager with one shell runner that it serves. */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { folder, concurrency, logger } = options;
  // Beside the coordinator: its shells have a profile to read.
  const composing = composeParts(options, Math.min(concurrency, mostStandbyShells));
  const coordinator = await startOnUsualPort(options).catch(async (error: unknown) => {
    await discardParts(composing);
    throw error;
  });
  try {
    // Nobody waits for pipelines of earlier runs any more; those that wait for a manual job would be kept for ever.
    coordinator.abortUnfinished();
    const runner = shellRunner(coordinator, folder, concurrency);
    const gate = Promise.withResolvers<void>();
    const manager = await startManager(options, await composing, [runner], gate.promise);
    let closed: Promise<void> | undefined;
    return {
      url: coordinator.url,
      adminToken: coordinator.adminToken,
      takeJobs: () => gate.resolve(),
      stop: (signalName) => {
        gate.resolve();
        if (manager.manager.state !== 'forceful-shutdown') manager.manager.stop(signalName);
      },
      close: () => {
        gate.resolve();
        closed ??= closeBoth(manager, coordinator, logger);
        return closed;
      },
    };
  } catch (error) {
    await discardParts(composing);
    await coordinator.close();
    throw error;
  }
}

/** Ends the jobs that a killed run left in a slot: their processes are found by the journal and stopped. */
export async function endLeftovers(options: EmbeddedOptions): Promise<void> {
  const { folder, concurrency } = options;
  const coordinator = await startOnUsualPort(options);
  try {
    coordinator.abortUnfinished();
    const runner = shellRunner(coordinator, folder, concurrency);
    const started = await startManager(options, await composeParts(options, 0), [runner]);
    started.manager.stop('leftover');
    await started.manager.done;
    await started.close();
  } finally {
    await coordinator.close();
  }
}

async function closeBoth(started: StartedManager, coordinator: RunningCoordinator, logger: Logger): Promise<void> {
  // A drain on top of a stop would not wait for the jobs.
  if (started.manager.state !== 'forceful-shutdown') started.manager.drain('pipeline over');
  const end = await started.manager.done;
  if (end.kind !== 'clean') logger.warn('Jobs did not end in time', { end: end.kind });
  await started.close();
  await coordinator.close();
}

/** Jobs that a killed run left report to the port they know. */
async function startOnUsualPort(options: EmbeddedOptions): Promise<RunningCoordinator> {
  const portFile = join(options.folder, 'port');
  const usual = Number(readStateFile(portFile) ?? 0);
  const coordinator = await startOnPort(options, usual).catch((error: unknown) => {
    if (usual === 0 || !(error instanceof CommandError)) throw error;
    return startOnPort(options, 0);
  });
  replaceStateFile(portFile, new URL(coordinator.url).port);
  return coordinator;
}

async function startOnPort(options: EmbeddedOptions, port: number): Promise<RunningCoordinator> {
  return await startCoordinator({
    dataDir: join(options.folder, 'coordinator'),
    listen: { host: '127.0.0.1', port },
    traceUpdateIntervalSeconds: 'none',
    keep: { pipelines: options.keep.pipelines, days: options.keep.days },
    sources: sourcesServer({ env: options.env, trustsLocalFolders: true }),
    logger: options.logger,
  });
}

function shellRunner(coordinator: RunningCoordinator, folder: string, concurrency: number): RunnerConfig {
  const token = runnerToken(coordinator, folder);
  const buildsDir = join(folder, 'builds');
  const cacheDir = join(folder, 'cache');
  for (const path of [buildsDir, cacheDir]) makePrivateFolder(path);
  const runner = embeddedRunner({
    name: 'local',
    url: coordinator.url,
    token,
    systemId: systemId(folder),
    executor: 'shell',
    buildsDir,
    cacheDir,
    requestConcurrency: 1,
    embedded: { traceUpdateIntervalMs: traceIntervalMs, signOfLifeIntervalMs },
  });
  return { ...runner, limit: concurrency };
}

/** The runner stays the same from run to run, and with it the folders of its builds. */
function runnerToken(coordinator: RunningCoordinator, folder: string): string {
  const file = join(folder, 'runner-token');
  const known = readStateFile(file);
  if (known !== undefined) return known;
  const { token } = coordinator.createRunner({ description: 'millrace pipeline run' });
  replaceStateFile(file, token);
  return token;
}

function systemId(folder: string): string {
  const file = join(folder, 'system-id');
  const known = readStateFile(file);
  if (known !== undefined) return known;
  const made = generateSystemId('');
  replaceStateFile(file, made);
  return made;
}

/** A manager that has no runners yet. */
interface Composed {
  readonly parts: ManagerParts;
  readonly clients: CoordinatorClients;
  readonly clock: Clock;
  readonly host: HostPlatform;
}

/** @param standbyShells see `CompositionOptions`; 0 where no new job is taken. */
async function composeParts(options: EmbeddedOptions, standbyShells: number): Promise<Composed> {
  const { env, logger, folder } = options;
  const clock = systemClock();
  const host = hostPlatform(process.platform, process.arch);
  const language = `node${process.versions.node}`;
  const clients = createCoordinatorClients({ environment: env, host, language, clock, logger, connectionMaxAgeMs: 0 });
  const parts = await composeManager({
    stateFolder: join(folder, 'journal'),
    environment: env,
    workingDirectory: folder,
    selfCommand: selfCommand(),
    user: '',
    clients,
    shutdownTimeoutMs: stopTimeoutMs,
    clock,
    logger,
    ownStagesPlain: true,
    standbyShells,
  });
  return { parts, clients, clock, host };
}

/** Of a manager that was never started. What went wrong with it is told elsewhere. */
async function discardParts(composing: Promise<Composed>): Promise<void> {
  try {
    const { parts } = await composing;
    for (const provider of parts.providers.values()) await provider.shutdown(AbortSignal.timeout(stopTimeoutMs));
    await parts.close?.();
  } catch {
    // There is nothing to let go of.
  }
}

interface StartedManager {
  readonly manager: RunnerManager;
  close(): Promise<void>;
}

/**
 * Resolves once the jobs of earlier managers are found.
 * @param gate resolves when the manager may take them up and ask for new ones; default: at once.
 */
async function startManager(
  { concurrency, logger }: EmbeddedOptions,
  { parts, clients, clock, host }: Composed,
  runners: readonly RunnerConfig[],
  gate?: Promise<void>,
): Promise<StartedManager> {
  const adopted = Promise.withResolvers<void>();
  const manager = startRunnerManager({
    config: { concurrent: concurrency, checkIntervalMs, shutdownTimeoutMs: stopTimeoutMs, runners },
    clients,
    clock,
    host,
    logger,
    ...parts,
    recover: async (served, signal) => {
      try {
        return (await parts.recover?.(served, signal)) ?? [];
      } finally {
        // The manager takes the jobs up in the same turn as it gets them.
        setImmediate(() => adopted.resolve());
        await gate;
      }
    },
  });
  await adopted.promise;
  return { manager, close: async () => await parts.close?.() };
}
