import { join } from 'node:path';
import { AbortReason, abortReasonOf, onceAborted } from '../../lib/abort.ts';
import { EnvironmentLostError, errorMessage, StorageError } from '../../lib/errors.ts';
import type { JsonValue } from '../../lib/json.ts';
import { isPresent } from '../../platform/file-presence.ts';
import { writePrivateFile } from '../../platform/private-folder.ts';
import type { ProcessTable } from '../../platform/process-table.ts';
import { endProcesses, selectProcesses } from '../../platform/process-tree.ts';
import type { CleanupReport, Executor, ExitStatus, JobIo, StageCommand, StageHint, StageIo } from '../port.ts';
import { findStage, neverBegan, readStatus } from './find-stage.ts';
import type { JobShells } from './job-shells.ts';
import type { StageShell } from './ready-shell.ts';
import { followStage } from './stage-follower.ts';
import { type EndingTimes, endStage, type StageProcesses } from './stage-processes.ts';
import { stageHandleValue } from './stage-records.ts';
import { stageFiles } from './supervisor-script.ts';

export interface ShellExecutorOptions {
  readonly io: JobIo;
  readonly bootId: string;
  readonly shells: JobShells;
  readonly shellFor: (stage: StageHint) => StageShell;
  /** Path of setsid(1), where there is one. */
  readonly setsid: string | undefined;
  /** Whether stages run as another account. */
  readonly isOtherUser: boolean;
  /** Taken up from an earlier manager. */
  readonly isRecovered: boolean;
  readonly times: EndingTimes;
  readonly table: ProcessTable;
  /** A stage with code of the user begins; the returned function is called at its end. */
  readonly userCodeRuns: () => () => void;
}

/** The shell executor's environment is the host: there is nothing to build, and only processes to end. */
export function createShellExecutor(options: ShellExecutorOptions): Executor {
  const { bootId, shells, table } = options;
  const isSupervisorApart = options.setsid !== undefined;
  /** Stopped or lost: no process of the job may stay. Else background children live on. */
  let wasBroken = false;
  let hasEndedStage = false;
  const hurry = new AbortController();
  let current: Promise<unknown> | undefined;

  async function start(command: StageCommand, io: StageIo, signal: AbortSignal): Promise<StageProcesses> {
    const shell = options.shellFor(command);
    const ready = await shells.take(shell, io.directory);
    const { stageCookie, supervisor, ended } = ready;
    try {
      if (signal.aborted) throw abortReasonOf(signal);
      if (supervisor === undefined) throw lostError(command);
      writeScript(shell, command, io.directory);
      io.recordStage(stageHandleValue({ bootId, stageCookie, supervisor }));
    } catch (error) {
      await ready.discard(0);
      throw error;
    }
    ready.begin();
    return { stageCookie, supervisor, isSupervisorApart, ended };
  }

  /** Follows a stage to its end; ends its processes when the signal is aborted or following fails. */
  async function seeToEnd(
    stage: StageProcesses,
    command: StageCommand,
    io: StageIo,
    signal: AbortSignal,
  ): Promise<ExitStatus> {
    const shell = watchForStatus(command, io.directory);
    const following = followStage({ io, ended: stage.ended, onChange: shell.look });
    const aborted = onceAborted(signal);
    try {
      await Promise.race([following, aborted.promise, shell.outputLost]);
    } catch (error) {
      wasBroken = true;
      shell.watch();
      await endLoudly(stage, shell.ended, following);
      await following.catch(() => {});
      throw error;
    } finally {
      aborted.dispose();
    }
    return await exitOf(stage, command, io);
  }

  async function resume(
    command: StageCommand,
    stageHandle: JsonValue,
    io: StageIo,
    signal: AbortSignal,
  ): Promise<ExitStatus | 'not_started'> {
    const found = findStage({ directory: io.directory, handle: stageHandle, bootId, isSupervisorApart, table });
    if (found.state === 'not_started') return found.state;
    if (found.state === 'over') {
      if (await neverBegan(io.directory, found.stage, table)) return 'not_started';
      await followStage({ io, ended: Promise.resolve(), onChange: () => {} });
      return await exitOf(found.stage, command, io);
    }
    const { stage, begunOrEnded, stopWatching } = found;
    const aborted = onceAborted(signal);
    try {
      await Promise.race([begunOrEnded, aborted.promise]).catch(() => {});
      const isUnbegun = !signal.aborted && !readStatus(io.directory).hasBegun;
      if (isUnbegun && (await neverBegan(io.directory, stage, table))) return 'not_started';
      return await seeToEnd(stage, command, io, signal);
    } finally {
      aborted.dispose();
      stopWatching();
    }
  }

  async function exitOf(stage: StageProcesses | undefined, command: StageCommand, io: StageIo): Promise<ExitStatus> {
    const { exit, hasBegun } = readStatus(io.directory);
    const wasOutputLost = isOutputLost(io.directory);
    if (exit !== undefined && !wasOutputLost) {
      hasEndedStage = true;
      if (!hasBegun && exit.code === 0) throw unbegunError(command);
      return exit;
    }
    wasBroken = true;
    if (stage !== undefined) await endLoudly(stage, Promise.resolve(), Promise.resolve());
    throw wasOutputLost ? outputLostError(command) : lostError(command);
  }

  async function endLoudly(stage: StageProcesses, shellEnded: Promise<void>, following: Promise<void>): Promise<void> {
    const { times } = options;
    const survivors = await endStage(stage, { table, times, shellEnded, following, hurry: hurry.signal });
    for (const pid of survivors) {
      options.io.log.warning(`failed to kill process PID=${pid}, likely process is dormant`);
    }
  }

  async function take<T>(command: StageHint, work: () => Promise<T>): Promise<T> {
    const over = command.isOurs === true ? () => {} : options.userCodeRuns();
    const running = work();
    current = running;
    try {
      return await running;
    } finally {
      current = undefined;
      over();
    }
  }

  return {
    ...(options.isOtherUser ? { keepsFiles: true as const } : { localFiles: true as const }),

    expect: (stages) => shells.startAhead(stages.map(options.shellFor)),

    run: (command, io, signal) =>
      take(command, async () => {
        if (signal.aborted) {
          wasBroken = true;
          throw abortReasonOf(signal);
        }
        return await seeToEnd(await start(command, io, signal), command, io, signal);
      }),

    resume: (command, stageHandle, io, signal) => take(command, () => resume(command, stageHandle, io, signal)),

    cleanup: async (signal): Promise<CleanupReport> => {
      if (current !== undefined) {
        wasBroken = true;
        hurry.abort(new AbortReason('finished'));
        await current.catch(() => {});
      }
      await shells.discard(signal);
      const isUnclear = options.isRecovered && !hasEndedStage;
      if (!wasBroken && !isUnclear) return { leftovers: [] };
      const survivors = await endProcesses({
        find: async () => selectProcesses(await table.snapshot(), { cookie: shells.jobCookie }),
        graceMs: options.times.leftoverGraceMs,
        hurry: signal,
      });
      return { leftovers: survivors.map((pid) => `process ${pid} could not be ended`) };
    },
  };
}

function writeScript({ feed }: StageShell, command: StageCommand, directory: string): void {
  const name = feed === 'file' ? stageFiles.powershellScript : stageFiles.script;
  try {
    writePrivateFile(join(directory, name), command.script);
  } catch (error) {
    throw new StorageError(`cannot write the script of ${command.stage}: ${errorMessage(error)}`, { cause: error });
  }
}

function isOutputLost(directory: string): boolean {
  return isPresent(join(directory, stageFiles.damaged));
}

function lostError({ stage }: StageCommand): EnvironmentLostError {
  return new EnvironmentLostError(`the processes of ${stage} were killed, or the host restarted, or its disk is full`, {
    details: { stage },
  });
}

function unbegunError({ stage }: StageCommand): EnvironmentLostError {
  return new EnvironmentLostError(`the shell of ${stage} ended before it ran the script`, {
    details: { stage },
    hint: 'A profile of the account (~/.bash_profile, ~/.profile, /etc/profile) exits, or reads standard input.',
  });
}

function outputLostError({ stage }: StageCommand): StorageError {
  return new StorageError(`some output of ${stage} could not be stored and is missing: is the disk full?`, {
    details: { stage },
  });
}

/** Notices the script's end, for which it looks only once somebody wants to know, and output that cannot be stored. */
function watchForStatus(
  command: StageCommand,
  directory: string,
): {
  readonly look: () => void;
  readonly watch: () => void;
  readonly ended: Promise<void>;
  /** Rejects; never resolves. */
  readonly outputLost: Promise<never>;
} {
  const { promise, resolve } = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => {});
  let isWatching = false;
  const look = (): void => {
    if (isWatching && readStatus(directory).exit !== undefined) resolve();
    if (isOutputLost(directory)) lost.reject(outputLostError(command));
  };
  return {
    look,
    watch: () => {
      isWatching = true;
      look();
    },
    ended: promise,
    outputLost: lost.promise,
  };
}
