import { join } from 'node:path';
import type { JsonValue } from '../../lib/json.ts';
import { watchFolder } from '../../platform/folder-watch.ts';
import { isRunning, type ProcessIdentity } from '../../platform/process-identity.ts';
import type { ProcessTable } from '../../platform/process-table.ts';
import { endProcesses, selectProcesses } from '../../platform/process-tree.ts';
import { readStateFile } from '../../platform/state-file.ts';
import type { StageProcesses } from './stage-processes.ts';
import { parseStageHandle, parseStatus, type StageStatus } from './stage-records.ts';
import { stageFiles } from './supervisor-script.ts';

export type FoundStage =
  | {
      readonly state: 'running';
      readonly stage: StageProcesses;
      /** Resolves once it has begun, or has ended without. */
      readonly begunOrEnded: Promise<void>;
      readonly stopWatching: () => void;
    }
  /** It has ended, or belongs to an earlier boot. `stage` = processes of it may be left. */
  | { readonly state: 'over'; readonly stage: StageProcesses | undefined }
  /** Nothing of it was started. */
  | { readonly state: 'not_started' };

export interface FindStageOptions {
  readonly directory: string;
  readonly handle: JsonValue;
  /** Of the running system. */
  readonly bootId: string;
  readonly isSupervisorApart: boolean;
  readonly table: ProcessTable;
}

/** Looks for a stage that an earlier manager started. */
export function findStage(options: FindStageOptions): FoundStage {
  const { directory, handle, isSupervisorApart } = options;
  // It is recorded before it may begin.
  if (handle === null) return { state: 'not_started' };
  const { bootId, stageCookie, supervisor } = parseStageHandle(handle);
  if (bootId !== options.bootId) return { state: 'over', stage: undefined };
  const identity = { bootId, ...supervisor };
  if (!isRunning(identity) || readStatus(directory).isDone) {
    const remains = { stageCookie, supervisor: undefined, isSupervisorApart, ended: Promise.resolve() };
    return { state: 'over', stage: remains };
  }
  const { begunOrEnded, ended, stop } = watchStage(directory, identity);
  const stage = { stageCookie, supervisor: identity, isSupervisorApart, ended };
  return { state: 'running', stage, begunOrEnded, stopWatching: stop };
}

/**
 * Whether a stage whose supervisor has ended never began. What is left of its processes is ended first: a shell
 * without its supervisor could still begin.
 */
export async function neverBegan(
  directory: string,
  stage: StageProcesses | undefined,
  table: ProcessTable,
): Promise<boolean> {
  if (stage === undefined || readStatus(directory).hasBegun) return false;
  const find = async () => selectProcesses(await table.snapshot(), { cookie: stage.stageCookie });
  const survivors = await endProcesses({ find, graceMs: 0, hurry: new AbortController().signal });
  return survivors.length === 0 && !readStatus(directory).hasBegun;
}

export function readStatus(directory: string): StageStatus {
  return parseStatus(readStateFile(join(directory, stageFiles.status)));
}

/** How often a supervisor that is not our child is looked at: its death alone makes no event. */
const livenessIntervalMs = 1000;

function watchStage(
  directory: string,
  supervisor: ProcessIdentity,
): { readonly begunOrEnded: Promise<void>; readonly ended: Promise<void>; readonly stop: () => void } {
  const ended = Promise.withResolvers<void>();
  const begunOrEnded = Promise.withResolvers<void>();
  const look = (): void => {
    const { hasBegun, isDone } = readStatus(directory);
    if (hasBegun || isDone) begunOrEnded.resolve();
    if (isDone) ended.resolve();
  };
  const watch = watchFolder(directory, look);
  const timer = setInterval(() => {
    look();
    if (isRunning(supervisor)) return;
    begunOrEnded.resolve();
    ended.resolve();
  }, livenessIntervalMs);
  look();
  return {
    begunOrEnded: begunOrEnded.promise,
    ended: ended.promise,
    stop: () => {
      watch.close();
      clearInterval(timer);
    },
  };
}
