import { join } from 'node:path';
import type { JsonValue } from '../../lib/json.ts';
import { watchFolder } from '../../platform/folder-watch.ts';
import { isRunning, type ProcessIdentity } from '../../platform/process-identity.ts';
import type { ProcessTable } from '../../platform/process-table.ts';
import { claimStateFile, readStateFile } from '../../platform/state-file.ts';
import type { StageProcesses } from './stage-processes.ts';
import { parseStageHandle, parseStatus, type StageHandle } from './stage-records.ts';
import { stageFiles } from './supervisor-script.ts';

export type FoundStage =
  | { readonly state: 'running'; readonly stage: StageProcesses; readonly stopWatching: () => void }
  /** It has ended, or belongs to an earlier boot. `stage` = processes of it may be left. */
  | { readonly state: 'over'; readonly stage: StageProcesses | undefined }
  /** Nothing of it was started; a supervisor that would still come up gives up. */
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
export async function findStage(options: FindStageOptions): Promise<FoundStage> {
  const { directory, handle, isSupervisorApart } = options;
  // It is recorded before anything is started: no record, no process.
  if (handle === null) return { state: 'not_started' };
  const stage = parseStageHandle(handle);
  if (stage.supervisor === undefined && claimStateFile(join(directory, stageFiles.supervisorId))) {
    return { state: 'not_started' };
  }
  if (stage.bootId !== options.bootId) return { state: 'over', stage: undefined };
  const supervisor = await findSupervisor(directory, stage, options.table);
  const remains = { stageCookie: stage.stageCookie, supervisor, isSupervisorApart, ended: Promise.resolve() };
  if (supervisor === undefined || isDone(directory)) return { state: 'over', stage: remains };
  const { ended, stop } = watchForEnd(directory, supervisor);
  return { state: 'running', stage: { ...remains, ended }, stopWatching: stop };
}

async function findSupervisor(
  directory: string,
  stage: StageHandle,
  table: ProcessTable,
): Promise<ProcessIdentity | undefined> {
  const { bootId, stageCookie } = stage;
  if (stage.supervisor !== undefined) {
    const identity = { bootId, ...stage.supervisor };
    return isRunning(identity) ? identity : undefined;
  }
  // The manager died between starting the supervisor and writing down which process that is.
  const written = readStateFile(join(directory, stageFiles.supervisorId));
  const marked = (await table.snapshot()).filter((entry) => entry.cookies.includes(stageCookie));
  const isWritten = written !== undefined && written !== '';
  const entry = marked.find(({ pid, group }) => (isWritten ? pid === Number(written) : pid === group));
  return entry === undefined ? undefined : { bootId, pid: entry.pid, startTime: entry.startTime };
}

/** How often a supervisor that is not our child is looked at: its death alone makes no event. */
const livenessIntervalMs = 1000;

function watchForEnd(
  directory: string,
  supervisor: ProcessIdentity,
): { readonly ended: Promise<void>; readonly stop: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const watch = watchFolder(directory, () => {
    if (isDone(directory)) resolve();
  });
  const timer = setInterval(() => {
    if (isDone(directory) || !isRunning(supervisor)) resolve();
  }, livenessIntervalMs);
  if (isDone(directory)) resolve();
  return {
    ended: promise,
    stop: () => {
      watch.close();
      clearInterval(timer);
    },
  };
}

function isDone(directory: string): boolean {
  return parseStatus(readStateFile(join(directory, stageFiles.status))).isDone;
}
