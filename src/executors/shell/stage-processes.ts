import { AbortReason } from '../../lib/abort.ts';
import { type ProcessEntry, type ProcessTable, standardInputOf } from '../../platform/process-table.ts';
import { endProcesses, selectProcesses } from '../../platform/process-tree.ts';

/** How long processes that are told to end may take, in milliseconds. */
export interface EndingTimes {
  /** From SIGTERM to SIGKILL while the script itself still runs. */
  readonly terminationGraceMs: number;
  /** For what is left once the script has ended. */
  readonly leftoverGraceMs: number;
}

/** The peer gives scripts ten minutes too; the job engine stops waiting earlier and then cleans up. */
export const defaultEndingTimes: EndingTimes = { terminationGraceMs: 10 * 60_000, leftoverGraceMs: 10_000 };

export interface StageProcesses {
  readonly stageCookie: string;
  readonly supervisor: { readonly pid: number; readonly startTime: string } | undefined;
  /**
   * Whether the script has a group of its own. Else the supervisor gets its signals too; it ignores the polite one.
   */
  readonly isSupervisorApart: boolean;
  /** Resolves when the supervisor has ended. */
  readonly ended: Promise<void>;
}

export interface EndStageOptions {
  readonly table: ProcessTable;
  readonly times: EndingTimes;
  /** Resolves when the script has ended. */
  readonly shellEnded: Promise<void>;
  /** Settles when nobody takes the output any more: after the stage's end, or earlier when that failed. */
  readonly following: Promise<unknown>;
  /** Aborted = no more grace. */
  readonly hurry: AbortSignal;
}

/** How long a supervisor is given to notice that its script has ended, before the next look for who holds it up. */
const firstPatienceMs = 50;
const longestPatienceMs = 1000;

/**
 * Ends every process of a stage, then waits until the supervisor has stored their last output. Who keeps the output
 * open and cannot be found otherwise is found by that.
 * @returns the ids of processes that could not be ended.
 */
export async function endStage(stage: StageProcesses, options: EndStageOptions): Promise<readonly number[]> {
  const hurry = new AbortController();
  const hurryUp = (): void => hurry.abort(new AbortReason('finished'));
  options.hurry.addEventListener('abort', hurryUp, { once: true });
  if (options.hurry.aborted) hurryUp();
  let timer: NodeJS.Timeout | undefined;
  void options.shellEnded.then(() => {
    timer = setTimeout(hurryUp, options.times.leftoverGraceMs);
  });
  const end = (find: () => Promise<readonly ProcessEntry[]>): Promise<readonly number[]> =>
    endProcesses({ find, graceMs: options.times.terminationGraceMs, hurry: hurry.signal, over: stage.ended });
  try {
    let survivors = await end(() => findStageProcesses(stage, options.table));
    const outputIsTaken = Promise.race([stage.ended, options.following.then(noop, noop)]);
    let patienceMs = firstPatienceMs;
    while (survivors.length === 0 && !(await endsWithin(outputIsTaken, patienceMs))) {
      if (options.hurry.aborted) break;
      survivors = await end(() => findHinderers(stage, options.table));
      patienceMs = Math.min(patienceMs * 2, longestPatienceMs);
    }
    await killSupervisor(stage, options.table);
    return survivors;
  } finally {
    clearTimeout(timer);
    options.hurry.removeEventListener('abort', hurryUp);
  }
}

function noop(): void {}

async function findStageProcesses(stage: StageProcesses, table: ProcessTable): Promise<readonly ProcessEntry[]> {
  return selectOf(stage, await table.snapshot());
}

/** Processes that appeared late, and those that keep the output open: the supervisor waits for both. */
async function findHinderers(stage: StageProcesses, table: ProcessTable): Promise<readonly ProcessEntry[]> {
  const processes = await table.snapshot();
  const found = selectOf(stage, processes);
  if (found.length > 0) return found;
  const supervisors = supervisorGroup(stage, processes);
  const pipes = new Set(
    supervisors.flatMap(({ pid }) => standardInputOf(pid) ?? []).filter((file) => file.startsWith('pipe:')),
  );
  if (pipes.size === 0) return [];
  const others = processes.filter((entry) => !supervisors.includes(entry) && entry.pid !== process.pid);
  return await table.holdersOf(pipes, others);
}

function selectOf(stage: StageProcesses, processes: readonly ProcessEntry[]): readonly ProcessEntry[] {
  return selectProcesses(processes, {
    cookie: stage.stageCookie,
    root: stage.supervisor,
    exceptGroup: stage.isSupervisorApart ? stage.supervisor?.pid : undefined,
  });
}

/** Nobody writes any more, or somebody cannot be ended: either way there is no output to wait for. */
async function killSupervisor(stage: StageProcesses, table: ProcessTable): Promise<void> {
  if (await endsWithin(stage.ended, 0)) return;
  const find = async (): Promise<readonly ProcessEntry[]> => supervisorGroup(stage, await table.snapshot());
  await endProcesses({ find, graceMs: 0, hurry: AbortSignal.abort() });
}

/** The supervisor with its helpers: they share its group, which nobody else enters. */
function supervisorGroup(stage: StageProcesses, processes: readonly ProcessEntry[]): readonly ProcessEntry[] {
  const { supervisor } = stage;
  if (supervisor === undefined) return [];
  return processes.filter(({ pid, group, startTime, cookies }) => {
    if (group !== supervisor.pid) return false;
    return pid === supervisor.pid ? startTime === supervisor.startTime : cookies.includes(stage.stageCookie);
  });
}

async function endsWithin(ended: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const result = await Promise.race([ended.then((): true => true), timeout]);
  clearTimeout(timer);
  return result;
}
