import { join } from 'node:path';
import { AbortReason } from '../../lib/abort.ts';
import { EnvironmentLostError, errorMessage, StorageError } from '../../lib/errors.ts';
import { startDetached } from '../../platform/detached-process.ts';
import { isPresent } from '../../platform/file-presence.ts';
import { makePrivateFolder, moveEntry, removeTreeAsync, writePrivateFile } from '../../platform/private-folder.ts';
import { readProcessStat } from '../../platform/process-identity.ts';
import { type ProcessTable, withProcessCookies } from '../../platform/process-table.ts';
import { endProcesses, selectProcesses } from '../../platform/process-tree.ts';
import { randomHex } from '../../platform/random.ts';
import { startupFileMarks } from './startup-files.ts';
import {
  beginLine,
  type OutputLimits,
  type SupervisorFeed,
  supervisorArguments,
  supervisorScript,
} from './supervisor-script.ts';

/** How the shell of a stage is started. */
export interface StageShell {
  readonly feed: SupervisorFeed;
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Whether it reads the account's profile. */
  readonly login: boolean;
}

export function isSameShell(one: StageShell, other: StageShell): boolean {
  return one.feed === other.feed && one.command.join('\0') === other.command.join('\0');
}

/** A supervised shell that waits for its stage. It runs nothing of one before `begin`, and never does without. */
export interface ReadyShell {
  /** Of the job whose processes it belongs to. */
  readonly jobCookie: string;
  readonly stageCookie: string;
  readonly supervisor: { readonly pid: number; readonly startTime: string } | undefined;
  readonly ended: Promise<void>;
  /** Whether it still waits and is what a shell started now would be. */
  isFresh(): boolean;
  /** Makes an empty folder on the same file system its own. @throws the system's error; it can only be discarded then. */
  moveTo(directory: string): void;
  /** Lets it run the script in its folder. */
  begin(): void;
  /** Ends it; never throws. It has until `graceMs` are over, or the signal is aborted. */
  discard(graceMs: number, hurry?: AbortSignal): Promise<void>;
}

export interface ShellStarterOptions {
  /** The environment of every stage. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  /** Path of setsid(1), where there is one. */
  readonly setsid: string | undefined;
  readonly limits: OutputLimits;
  readonly table: ProcessTable;
  /** A new path for our own folder, on the file system of the stages' folders. Called once, when it is needed. */
  readonly scratchFolder: () => string;
}

export interface ShellStarter {
  /**
   * @param directory the stage's folder, where it is known; else a new one, see `moveTo`.
   * @throws EnvironmentLostError, StorageError
   */
  start(shell: StageShell, jobCookie: string, directory?: string): Promise<ReadyShell>;
  /** Removes the folder. */
  close(): Promise<void>;
}

const supervisorFile = 'supervise';

/** Starts supervised shells. */
export function createShellStarter(options: ShellStarterOptions): ShellStarter {
  let scratch: string | undefined;
  let count = 0;

  function newFolder(): string {
    count += 1;
    const folder = join(ownFolder(), String(count));
    makePrivateFolder(folder);
    return folder;
  }

  function ownFolder(): string {
    scratch ??= options.scratchFolder();
    const supervisor = join(scratch, supervisorFile);
    if (!isPresent(supervisor)) {
      makePrivateFolder(scratch);
      writePrivateFile(supervisor, supervisorScript(options.limits));
    }
    return scratch;
  }

  return {
    start: async (shell, jobCookie, directory) => {
      let folder: string;
      try {
        folder = directory ?? newFolder();
        ownFolder();
      } catch (error) {
        throw new StorageError(`cannot make a shell ready: ${errorMessage(error)}`, { cause: error });
      }
      const program = join(ownFolder(), supervisorFile);
      return await startShell({ ...options, shell, jobCookie, folder, isOwnFolder: directory === undefined, program });
    },
    close: async () => {
      if (scratch !== undefined) await removeTreeAsync(scratch);
    },
  };
}

interface StartOptions extends ShellStarterOptions {
  readonly shell: StageShell;
  readonly jobCookie: string;
  readonly folder: string;
  /** Whether the folder goes with a shell that is discarded. */
  readonly isOwnFolder: boolean;
  /** Path of the supervisor's program. */
  readonly program: string;
}

async function startShell(options: StartOptions): Promise<ReadyShell> {
  const { shell, environment, jobCookie, table, workingDirectory, setsid } = options;
  const stageCookie = randomHex(16);
  const marks = (): string => (shell.login ? startupFileMarks(environment['HOME']) : '');
  const marksAtStart = marks();
  let folder = options.folder;
  let { isOwnFolder } = options;
  const child = await startSupervisor(options, stageCookie);
  const stat = readProcessStat(child.pid);
  const supervisor = stat === undefined ? undefined : { pid: child.pid, startTime: stat.startTime };

  async function discard(graceMs: number, hurry?: AbortSignal): Promise<void> {
    child.closeInput();
    await endsWithin(child.ended, graceMs, hurry);
    const find = async () =>
      selectProcesses(await table.snapshot(), { cookie: stageCookie, root: supervisor, exceptGroup: undefined });
    await endProcesses({ find, graceMs: askingMs, hurry: hurry ?? new AbortController().signal, over: child.ended });
    if (isOwnFolder) await removeTreeAsync(folder);
  }

  return {
    jobCookie,
    stageCookie,
    supervisor,
    ended: child.ended,
    isFresh: () => !child.hasEnded() && marks() === marksAtStart,
    moveTo: (directory) => {
      if (directory === folder) return;
      moveEntry(folder, directory);
      folder = directory;
      isOwnFolder = false;
    },
    begin: () => child.send(beginLine(shell.feed, folder)),
    // What cannot be ended or removed is not worth failing a job that does not need it.
    discard: (graceMs, hurry) => discard(graceMs, hurry).catch(() => {}),
  };

  async function startSupervisor({ program, folder: cwd }: StartOptions, cookie: string) {
    // The supervisor enters it too late to tell anybody.
    if (!isPresent(workingDirectory)) {
      throw new EnvironmentLostError(`failed to start process: ${workingDirectory} does not exist`);
    }
    try {
      return await startDetached({
        file: '/bin/sh',
        args: [program, ...supervisorArguments({ ...shell, workingDirectory, setsid })],
        cwd,
        env: withProcessCookies(environment, [jobCookie, cookie]),
      });
    } catch (error) {
      throw new EnvironmentLostError(`failed to start process: ${errorMessage(error)}`, { cause: error });
    }
  }
}

/** From SIGTERM to SIGKILL: a shell that reads its profile does not need longer. */
const askingMs = 500;

async function endsWithin(ended: Promise<void>, ms: number, hurry: AbortSignal | undefined): Promise<void> {
  const own = new AbortController();
  const signal = hurry === undefined ? own.signal : AbortSignal.any([own.signal, hurry]);
  if (ms > 0 && !signal.aborted) {
    const timeout = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    });
    await Promise.race([ended, timeout]);
  }
  own.abort(new AbortReason('finished'));
}
