import { join } from 'node:path';
import { AbortReason, abortReasonOf, onceAborted } from '../../lib/abort.ts';
import { EnvironmentLostError, errorMessage, StorageError } from '../../lib/errors.ts';
import { startDetached } from '../../platform/detached-process.ts';
import { isPresent } from '../../platform/file-presence.ts';
import { writePrivateFile } from '../../platform/private-folder.ts';
import { identifyProcess } from '../../platform/process-identity.ts';
import { type ProcessTable, withProcessCookies } from '../../platform/process-table.ts';
import { endProcesses, selectProcesses } from '../../platform/process-tree.ts';
import { randomHex } from '../../platform/random.ts';
import { readStateFile } from '../../platform/state-file.ts';
import type { CleanupReport, Executor, ExitStatus, JobIo, StageCommand, StageIo } from '../port.ts';
import type { ShellCommand } from '../shared/shell-command.ts';
import { findStage } from './find-stage.ts';
import { followStage } from './stage-follower.ts';
import { type EndingTimes, endStage, type StageProcesses } from './stage-processes.ts';
import { type EnvironmentHandle, parseStatus, type StageStatus, stageHandleValue } from './stage-records.ts';
import { type OutputLimits, stageFiles, supervisorScript } from './supervisor-script.ts';

export interface ShellExecutorOptions {
  readonly io: JobIo;
  readonly handle: EnvironmentHandle;
  readonly shell: ShellCommand;
  /** The environment of every stage. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  /** Path of setsid(1), where there is one. */
  readonly setsid: string | undefined;
  /** Whether stages run as another account. */
  readonly isOtherUser: boolean;
  /** Taken up from an earlier manager. */
  readonly isRecovered: boolean;
  readonly limits: OutputLimits;
  readonly times: EndingTimes;
  readonly table: ProcessTable;
}

/** The shell executor's environment is the host: there is nothing to build, and only processes to end. */
export function createShellExecutor(options: ShellExecutorOptions): Executor {
  const { handle, table } = options;
  const isSupervisorApart = options.setsid !== undefined;
  /** Stopped or lost: no process of the job may stay. Else background children live on. */
  let wasBroken = false;
  let hasEndedStage = false;
  const hurry = new AbortController();
  let current: Promise<unknown> | undefined;

  async function start(command: StageCommand, io: StageIo): Promise<StageProcesses> {
    const stageCookie = randomHex(16);
    writeStageFiles(options, command, io.directory);
    io.recordStage(stageHandleValue(handle.bootId, stageCookie));
    const supervisor = await startSupervisor(options, stageCookie, io.directory);
    return { stageCookie, supervisor: identifyProcess(supervisor.pid), isSupervisorApart, ended: supervisor.ended };
  }

  /** Follows a stage to its end; ends its processes when the signal is aborted or following fails. */
  async function seeToEnd(
    stage: StageProcesses,
    command: StageCommand,
    io: StageIo,
    signal: AbortSignal,
    prologue: () => void = () => {},
  ): Promise<ExitStatus> {
    const shell = watchForStatus(command, io.directory);
    const following = followStage({ io, ended: stage.ended, onChange: shell.look });
    const aborted = onceAborted(signal);
    try {
      prologue();
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

  async function exitOf(stage: StageProcesses | undefined, command: StageCommand, io: StageIo): Promise<ExitStatus> {
    const { exit } = readStatus(io.directory);
    const wasOutputLost = isOutputLost(io.directory);
    if (exit !== undefined && !wasOutputLost) {
      hasEndedStage = true;
      return exit;
    }
    wasBroken = true;
    if (stage !== undefined) await endLoudly(stage, Promise.resolve(), Promise.resolve());
    if (wasOutputLost) throw outputLostError(command);
    throw new EnvironmentLostError(
      `the processes of ${command.stage} were killed, or the host restarted, or its disk is full`,
      {
        details: { stage: command.stage },
      },
    );
  }

  async function endLoudly(stage: StageProcesses, shellEnded: Promise<void>, following: Promise<void>): Promise<void> {
    const { times } = options;
    const survivors = await endStage(stage, { table, times, shellEnded, following, hurry: hurry.signal });
    for (const pid of survivors) {
      options.io.log.warning(`failed to kill process PID=${pid}, likely process is dormant`);
    }
  }

  async function take<T>(work: Promise<T>): Promise<T> {
    current = work;
    try {
      return await work;
    } finally {
      current = undefined;
    }
  }

  return {
    ...(options.isOtherUser ? { keepsFiles: true as const } : { localFiles: true as const }),

    run: (command, io, signal) =>
      take(
        (async () => {
          if (signal.aborted) {
            wasBroken = true;
            throw abortReasonOf(signal);
          }
          const stage = await start(command, io);
          return await seeToEnd(stage, command, io, signal, () => {
            io.recordStage(stageHandleValue(handle.bootId, stage.stageCookie, stage.supervisor));
          });
        })(),
      ),

    resume: (command, stageHandle, io, signal) =>
      take(
        (async () => {
          const found = await findStage({
            directory: io.directory,
            handle: stageHandle,
            bootId: handle.bootId,
            isSupervisorApart,
            table,
          });
          if (found.state === 'running') {
            try {
              return await seeToEnd(found.stage, command, io, signal);
            } finally {
              found.stopWatching();
            }
          }
          if (found.state === 'not_started') return found.state;
          await followStage({ io, ended: Promise.resolve(), onChange: () => {} });
          return await exitOf(found.stage, command, io);
        })(),
      ),

    cleanup: async (signal): Promise<CleanupReport> => {
      if (current !== undefined) {
        wasBroken = true;
        hurry.abort(new AbortReason('finished'));
        await current.catch(() => {});
      }
      const isUnclear = options.isRecovered && !hasEndedStage;
      if (!wasBroken && !isUnclear) return { leftovers: [] };
      const survivors = await endProcesses({
        find: async () => selectProcesses(await table.snapshot(), { cookie: handle.jobCookie }),
        graceMs: options.times.leftoverGraceMs,
        hurry: signal,
      });
      return { leftovers: survivors.map((pid) => `process ${pid} could not be ended`) };
    },
  };
}

function writeStageFiles(options: ShellExecutorOptions, command: StageCommand, directory: string): void {
  const { shell } = options;
  const scriptOnStdin = shell.feed === 'stdin';
  const scriptPath = join(directory, scriptOnStdin ? stageFiles.script : stageFiles.powershellScript);
  const supervisor = supervisorScript({
    directory,
    command: [shell.program, ...shell.args, ...(scriptOnStdin ? [] : [scriptPath])],
    setsid: options.setsid,
    scriptOnStdin,
    limits: options.limits,
  });
  try {
    writePrivateFile(scriptPath, command.script);
    writePrivateFile(join(directory, stageFiles.supervisor), supervisor);
  } catch (error) {
    throw new StorageError(`cannot write the script of ${command.stage}: ${errorMessage(error)}`, { cause: error });
  }
}

async function startSupervisor(
  options: ShellExecutorOptions,
  stageCookie: string,
  directory: string,
): Promise<{ readonly pid: number; readonly ended: Promise<void> }> {
  try {
    return await startDetached({
      file: '/bin/sh',
      args: [join(directory, stageFiles.supervisor)],
      cwd: options.workingDirectory,
      env: withProcessCookies(options.environment, [options.handle.jobCookie, stageCookie]),
    });
  } catch (error) {
    throw new EnvironmentLostError(`failed to start process: ${errorMessage(error)}`, { cause: error });
  }
}

function readStatus(directory: string): StageStatus {
  return parseStatus(readStateFile(join(directory, stageFiles.status)));
}

function isOutputLost(directory: string): boolean {
  return isPresent(join(directory, stageFiles.damaged));
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
