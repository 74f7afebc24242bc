import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AbortReason } from '../lib/abort.ts';
import { type LogFields, type Logger, silentLogger } from '../observability/logger.ts';
import type { CoordinatorClient } from '../pipeline/run/coordinator-client.ts';
import { stateFolderOf } from '../pipeline/run/state-folder.ts';
import { type StateSlot, takeAbandonedSlots, takeSlot } from '../pipeline/run/state-slots.ts';
import { processAccount } from '../platform/account.ts';
import { inspectEntry } from '../platform/file-tree.ts';
import { listFolder, makePrivateFolder, removeTreeAsync } from '../platform/private-folder.ts';
import type { CommandEnvironment } from './command-environment.ts';
import type { Embedded, EmbeddedOptions } from './pipeline-embedded.ts';
import type { PipelineTarget } from './pipeline-target.ts';

export interface LocalTargetOptions {
  readonly workTree: string;
  readonly concurrency: number;
  readonly stateDir?: string;
  readonly keep?: number;
  readonly debug?: boolean;
}

const keptPipelines = 10;
const keptDays = 30;
const msPerDay = 86_400_000;

/**
 * This process: an embedded coordinator and runner manager, with their state in a slot outside the work tree. What a
 * killed run left behind is ended first.
 */
export async function openLocalTarget(
  options: LocalTargetOptions,
  environment: CommandEnvironment,
  signal: AbortSignal,
): Promise<PipelineTarget> {
  const stateFolder = placeOf(options, environment);
  const slot = await takeSlot(stateFolder, async (ms) => await sleep(ms, undefined, { signal }));
  try {
    const embeddedOptions = (folder: string): EmbeddedOptions => ({
      folder,
      concurrency: options.concurrency,
      keep: { pipelines: options.keep ?? keptPipelines, days: keptDays },
      env: environment.env,
      logger: problemLogger(environment.stderr, options.debug === true),
    });
    // That jobs of a killed run end badly is no news.
    const leftoverLogger = options.debug === true ? embeddedOptions(slot.folder).logger : silentLogger;
    await cleanUp({ stateFolder, own: slot, embeddedOptions, leftoverLogger, environment }, signal);
    return localTarget(slot, embeddedOptions(slot.folder), environment);
  } catch (error) {
    await slot.release();
    throw error;
  }
}

function placeOf(options: LocalTargetOptions, { env, workingDirectory }: CommandEnvironment): string {
  const { home, operatingSystem } = processAccount();
  const stateDir = options.stateDir === undefined ? undefined : resolve(workingDirectory, options.stateDir);
  return stateFolderOf(options.workTree, { stateDir, env, home: env['HOME'] ?? home, operatingSystem });
}

function localTarget(slot: StateSlot, options: EmbeddedOptions, environment: CommandEnvironment): PipelineTarget {
  const sourcesFolder = join(slot.folder, 'sources');
  const controller = new AbortController();
  let starting: Promise<void> | undefined;
  let embedded: Embedded | undefined;
  let client: CoordinatorClient | undefined;
  makePrivateFolder(sourcesFolder);
  const start = async (): Promise<void> => {
    const [{ startEmbedded }, { connectCoordinator }] = await loadEmbedded();
    embedded = await startEmbedded(options);
    const { url, adminToken } = embedded;
    client = connectCoordinator({ url, adminToken, caFile: '' }, environment.env, (problem) =>
      environment.stderr(`${problem}\n`),
    );
  };
  return {
    sourcesFolder,
    signal: controller.signal,
    get client() {
      if (client === undefined) throw new Error('the target was not started');
      return client;
    },
    start: async () => {
      starting ??= start();
      await starting;
    },
    sendSources: async (pipelineId, { manifest }, signal) => {
      await client?.nameSources(pipelineId, manifest, signal);
      embedded?.takeJobs();
    },
    abortJobs: (why) => embedded?.stop(why),
    giveUp: (why) => controller.abort(new AbortReason('aborted', why)),
    [Symbol.asyncDispose]: async () => {
      // Whoever gave up early finds out here that it had started after all.
      await starting?.catch(() => {});
      await embedded?.close();
      client?.close();
      await removeTreeAsync(sourcesFolder);
      await slot.release();
    },
  };
}

/** Coordinator and runner are most of the program: they are loaded once git is at work. */
async function loadEmbedded() {
  return await Promise.all([import('./pipeline-embedded.ts'), import('../pipeline/run/coordinator-client.ts')]);
}

interface CleanUp {
  readonly stateFolder: string;
  readonly own: StateSlot;
  readonly embeddedOptions: (folder: string) => EmbeddedOptions;
  readonly leftoverLogger: Logger;
  readonly environment: CommandEnvironment;
}

/** Ends jobs of runs that were killed, drops their snapshots, and removes slots that nobody has used for long. */
async function cleanUp(
  { stateFolder, own, embeddedOptions, leftoverLogger, environment }: CleanUp,
  signal: AbortSignal,
): Promise<void> {
  const end = async (slot: StateSlot): Promise<void> => {
    if (hasLeftovers(slot)) {
      const [{ endLeftovers }] = await loadEmbedded();
      await endLeftovers({ ...embeddedOptions(slot.folder), logger: leftoverLogger });
      environment.stderr('Ended the jobs of a run that was killed.\n');
      signal.throwIfAborted();
    }
    await removeTreeAsync(join(slot.folder, 'sources'));
  };
  await end(own);
  for await (const slot of takeAbandonedSlots(stateFolder, own)) {
    try {
      await end(slot);
      const usedAt = inspectEntry(join(slot.folder, 'port'))?.modifiedMs ?? 0;
      if (slot.number > 0 && Date.now() - usedAt > keptDays * msPerDay) await removeTreeAsync(slot.folder);
    } finally {
      await slot.release();
    }
  }
}

function hasLeftovers({ folder }: StateSlot): boolean {
  return listFolder(join(folder, 'journal', 'jobs')).length > 0;
}

/** Coordinator and manager speak only of what somebody must look at. */
function problemLogger(write: (text: string) => void, isVerbose: boolean): Logger {
  const line =
    (level: string) =>
    (message: string, fields: LogFields = {}) => {
      const details = Object.entries(fields).map(([name, value]) => ` ${name}=${String(value)}`);
      write(`${level}: ${message}${details.join('')}\n`);
    };
  const quiet = (): void => {};
  const logger: Logger = {
    debug: isVerbose ? line('debug') : quiet,
    info: isVerbose ? line('info') : quiet,
    warn: isVerbose ? line('warning') : quiet,
    error: line('error'),
    child: () => logger,
  };
  return logger;
}
