import { join } from 'node:path';
import { abortReasonOf } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';
import { PrepareError } from '../../lib/errors.ts';
import type { BuildPlan } from '../../plan/build-plan.ts';
import type { ExecutorTraits, ShellName } from '../../plan/executor-traits.ts';
import { findExecutable } from '../../platform/executable-search.ts';
import { pathKind } from '../../platform/local-work.ts';
import { readBootId } from '../../platform/process-identity.ts';
import { createProcessTable } from '../../platform/process-table.ts';
import type { Executor, ExecutorProvider, JobIo, Lease, StageHint } from '../port.ts';
import { type ShellCommand, type ShellCommandOptions, shellCommand } from '../shared/shell-command.ts';
import { createJobShells, type JobShells } from './job-shells.ts';
import { createShellStarter, type StageShell } from './ready-shell.ts';
import { createShellExecutor } from './shell-executor.ts';
import { defaultEndingTimes, type EndingTimes } from './stage-processes.ts';
import { parseEnvironmentHandle } from './stage-records.ts';
import { createStandbyPool } from './standby-pool.ts';
import { defaultOutputLimits, type OutputLimits } from './supervisor-script.ts';

export interface ShellProviderOptions {
  /** The manager's own environment: stages inherit it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Absolute; where stages start and what `$PWD` in the default directories means. */
  readonly workingDirectory: string;
  /** Program and leading arguments that run our helper commands. */
  readonly helperCommand: readonly string[];
  /** Account that runs the stages (`run --user`); undefined or empty = the manager's. */
  readonly user?: string | undefined;
  readonly times?: EndingTimes;
  readonly limits?: OutputLimits;
  /** A new path on the file system of the jobs' folders, for a folder of ours. */
  readonly scratchFolder: () => string;
  readonly clock: Clock;
  /** Login shells that are made ready at once for the first jobs; default 0. */
  readonly standbys?: number | undefined;
  /**
   * Stages without code of the user run in a plain shell: for a manager that a user has just started in an environment
   * made by such a profile.
   */
  readonly ownStagesPlain?: boolean | undefined;
}

type Runner = Parameters<ExecutorProvider['acquire']>[0];

const knownShells: readonly string[] = ['bash', 'sh', 'pwsh', 'powershell'] satisfies ShellName[];

/** Runs jobs in a shell of the manager's host (spec executors-other.md §1). */
export function createShellProvider(options: ShellProviderOptions): ExecutorProvider {
  const user = options.user ?? '';
  const environment = definedEntries(options.environment);
  const searchPath = environment['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
  const table = createProcessTable();
  const traits = shellTraits(options);
  const bootId = readBootId();
  const setsid = findExecutable('setsid', `${searchPath}:/usr/bin:/bin`);

  const starter = createShellStarter({
    environment,
    workingDirectory: options.workingDirectory,
    setsid,
    limits: options.limits ?? defaultOutputLimits,
    table,
    scratchFolder: options.scratchFolder,
  });
  const pool = createStandbyPool(starter, options.clock);
  const defaultShell = stageShell('bash', { login: true, powershellFromFile: false }, user);
  pool.keep(defaultShell, options.standbys ?? 0);

  function shellFor(plan: BuildPlan, stage: StageHint): StageShell {
    const login = plan.script.loginShell && !(options.ownStagesPlain === true && stage.isOurs === true);
    return stageShell(plan.shell, { login, powershellFromFile: plan.script.powershellFromFile }, user);
  }

  function executorFor(plan: BuildPlan, io: JobIo, shells: JobShells, isRecovered: boolean): Executor {
    return createShellExecutor({
      io,
      bootId,
      shells,
      shellFor: (stage) => shellFor(plan, stage),
      setsid,
      isOtherUser: user !== '',
      isRecovered,
      times: options.times ?? defaultEndingTimes,
      table,
      userCodeRuns: () => pool.userCodeRuns(),
    });
  }

  /** Without a profile to read there is nothing to gain. */
  function keepForNext(plan: BuildPlan): void {
    const shell = shellFor(plan, { where: 'build' });
    if (shell.feed === 'shell' && shell.login) pool.keep(shell, 1);
  }

  function createEnvironment(plan: BuildPlan, io: JobIo, shells: JobShells, isRecovered: boolean): Executor {
    io.recordEnvironment({ bootId, jobCookie: shells.jobCookie });
    return executorFor(plan, io, shells, isRecovered);
  }

  function createLease(runner: Runner): Lease {
    let shells = createJobShells(starter, pool);
    let prepared: BuildPlan | undefined;
    return {
      expect: (plan, stages) =>
        shells.startAhead(stages.map((stage) => shellFor(plan, stage)).filter(({ feed }) => feed === 'shell')),
      prepare: async (plan, io, signal) => {
        if (signal.aborted) throw abortReasonOf(signal);
        io.log.print(`Using Shell (${runner.shell === '' ? plan.shell : runner.shell}) executor...`);
        await checkHost(plan, runner, { ...options, user }, searchPath);
        prepared = plan;
        return createEnvironment(plan, io, shells, false);
      },
      recover: async (plan, value, io) => {
        // Nothing was started under an environment that was never recorded.
        if (value === null) return createEnvironment(plan, io, shells, true);
        const handle = parseEnvironmentHandle(value);
        shells = createJobShells(starter, pool, handle.jobCookie);
        return handle.bootId === bootId ? executorFor(plan, io, shells, true) : 'gone';
      },
      release: async (signal) => {
        // Not earlier: it would hold up the job's last report.
        if (prepared !== undefined) keepForNext(prepared);
        prepared = undefined;
        await shells.discard(signal);
      },
    };
  }

  return {
    traits: () => traits,
    acquire: async (runner) => createLease(runner),
    noMoreJobs: () => pool.close(),
    shutdown: async () => {
      pool.close();
      await pool.ended();
      await starter.close();
    },
  };
}

/** The user's shell for a stage; one that the runner's account itself starts can be made ready ahead. */
function stageShell(name: ShellName, options: ShellCommandOptions, user: string): StageShell {
  const posix = !isPowershell(name);
  const shell = shellCommand(name, options);
  const { program, args, feed } = user === '' ? shell : asUser(shell, user);
  const isReadyAhead = posix && user === '';
  return { command: [program, ...args], feed: isReadyAhead ? 'shell' : feed, login: posix && options.login };
}

function shellTraits(options: ShellProviderOptions): ExecutorTraits {
  return {
    name: 'shell',
    // Only what works is announced: terminals and native steps come with their own issues.
    features: ['variables', 'shared'],
    defaultShell: 'bash',
    loginShell: true,
    defaultBuildsDir: join(options.workingDirectory, 'builds'),
    defaultCacheDir: join(options.workingDirectory, 'cache'),
    sharedBuildsDir: true,
    customBuildDirByDefault: false,
    safeDirectoryByDefault: false,
    cleanGitConfigByDefault: false,
    helperCommand: options.helperCommand,
    helperIsOurs: true,
    runnerHost: '',
    sharedEnvironment: true,
    operatingSystem: 'unix',
  };
}

async function checkHost(
  plan: BuildPlan,
  runner: Runner,
  options: ShellProviderOptions & { readonly user: string },
  searchPath: string,
): Promise<void> {
  if (runner.shell !== '' && !knownShells.includes(runner.shell)) {
    throw new PrepareError(`shell ${runner.shell} not found`, {
      hint: `Set shell to one of ${knownShells.join(', ')}.`,
    });
  }
  if ((await pathKind(options.workingDirectory)) !== 'directory') {
    throw new PrepareError(`the working directory ${options.workingDirectory} does not exist`, {
      hint: 'Create it, or start the runner with another --working-directory.',
    });
  }
  if (options.user !== '' && plan.script.powershellFromFile && isPowershell(plan.shell)) {
    throw new PrepareError(`${plan.shell} doesn't support changing user with the shell executor`, {
      hint: 'Turn FF_DISABLE_POWERSHELL_STDIN off, or run jobs as the account of the runner.',
    });
  }
  const program = options.user === '' ? plan.shell : `${shellFolder(plan.shell)}/${plan.shell}`;
  if (findExecutable(program, searchPath) === undefined) {
    throw new PrepareError(`shell ${program} not found`, { hint: 'Install it, or set another shell in config.toml.' });
  }
  if (options.user === '') return;
  if (findExecutable('su', searchPath) === undefined) {
    throw new PrepareError(`su not found: it is needed to run jobs as ${options.user}`);
  }
}

/** Keeps the environment but for what `su` itself sets (spec shells.md §2). */
function asUser(shell: ShellCommand, user: string): ShellCommand {
  const line = [shell.program, ...shell.args].join(' ');
  const chosen = process.platform === 'linux' ? ['-s', `${shellFolder(shell.program)}/${shell.program}`] : [];
  return { program: 'su', args: [...chosen, user, '-c', line], feed: shell.feed };
}

function shellFolder(shell: string): string {
  return isPowershell(shell) ? '/usr/bin' : '/bin';
}

function isPowershell(shell: string): boolean {
  return shell === 'pwsh' || shell === 'powershell';
}

function definedEntries(environment: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
