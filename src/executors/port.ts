import type { RunnerConfig } from '../config/runner-config.ts';
import type { JsonValue } from '../lib/json.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import type { ExecutorTraits } from '../plan/executor-traits.ts';
import type { ScriptOperation } from '../script/operations.ts';

/** One per executor kind; lives as long as the process. Its methods may be called concurrently. */
export interface ExecutorProvider {
  /** Pure and cheap; called for every job request and every plan. */
  traits(runner: RunnerConfig): ExecutorTraits;

  /**
   * Reserves capacity before a job is asked for. Called once per job request.
   * `undefined` = no capacity now: nothing is asked for. Every lease is released exactly once.
   * @throws what makes this runner unusable; it is logged and counted, the runner is asked again later.
   */
  acquire(runner: RunnerConfig, signal: AbortSignal): Promise<Lease | undefined>;

  /** No job will be asked for any more; those that run go on. What was kept for the next ones can go. Idempotent. */
  noMoreJobs?(): void;

  /** Called once, after the last lease was released. */
  shutdown(signal: AbortSignal): Promise<void>;
}

/** Reserved capacity for one job. Methods are called one after another, never concurrently. */
export interface Lease {
  /**
   * Tells that a job came whose first stages are these; `prepare` comes next, or `release`. A hint, to begin with what
   * takes long: cheap, never throws.
   */
  expect?(plan: BuildPlan, stages: readonly StageHint[]): void;

  /**
   * Makes the environment of a build ready. Called up to three times (spec job-execution.md §6), each time after the
   * failed attempt cleaned up behind itself.
   * @throws PrepareError, JobConfigurationError, ImagePullError, … ; the signal's reason when it is aborted.
   */
  prepare(plan: BuildPlan, io: JobIo, signal: AbortSignal): Promise<Executor>;

  /**
   * Takes up the environment that an earlier manager prepared. Called instead of `prepare`, once.
   * `handle` is the last value given to `JobIo.recordEnvironment`, `null` if none was.
   * @returns 'gone' when the environment does not exist any more (another boot, removed container).
   */
  recover(plan: BuildPlan, handle: JsonValue, io: JobIo, signal: AbortSignal): Promise<Executor | 'gone'>;

  /** Idempotent; called once the job is over, also when `prepare` was never called. */
  release(signal: AbortSignal): Promise<void>;
}

/** What a lease and its executor may do for the job they belong to. */
export interface JobIo {
  readonly log: ExecutorLog;
  /** Private folder of this job (0700), removed with its journal. Survives the manager. */
  readonly directory: string;
  /**
   * Writes down what is needed to find the environment again. Durable when it returns; call it before anything is
   * made that would otherwise be lost. The last value wins.
   * @throws StorageError when the journal cannot be written: stop and let it pass on.
   */
  recordEnvironment(handle: JsonValue): void;
}

/** Lines an executor writes into the trace. */
export interface ExecutorLog {
  print(text: string): void;
  info(text: string): void;
  warning(text: string): void;
  error(text: string): void;
}

/** The environment of one build. `run` and `resume` are called one at a time; `cleanup` last. */
export interface Executor {
  /**
   * Present where the manager may do simple work on the environment's files itself (no container, no other user
   * account): then stages of plain file work start no process.
   */
  readonly localFiles?: true;

  /** Present where the job's files stay behind after `cleanup`, out of the manager's reach (another user account). */
  readonly keepsFiles?: true;

  /**
   * Does a stage's work that needs no shell (`isPlainFileWork`) without starting anything for it. Called instead of
   * `run`, and once more when the manager was killed in between.
   * @returns what a script would have printed; undefined = `run` a script.
   */
  doPlainWork?(operations: readonly ScriptOperation[], signal: AbortSignal): Promise<string | undefined>;

  /**
   * Runs one stage script to its end. Never called twice for one stage run.
   *
   * Output is given to `io.write` in order per stream, all of it before the promise settles. A background child that
   * still holds the output is waited for, one that has redirected it is not.
   *
   * On abort: every process of the stage ends (TERM → grace → KILL, also those that left the group), their last
   * output is delivered, then the promise rejects with the signal's reason.
   *
   * @returns the script's exit; a failing script is a value, not an error.
   * @throws EnvironmentLostError when the environment vanished.
   */
  run(command: StageCommand, io: StageIo, signal: AbortSignal): Promise<ExitStatus>;

  /**
   * Follows a stage that an earlier manager started: as `run` from where `io.cursor` stands, starting nothing.
   * `handle` is the last value given to `StageIo.recordStage`, `null` if none was: then it was either never started,
   * or must be found by the stage's directory.
   * @returns `not_started` only when nothing of it was started, nor ever will be in this directory: the caller may run
   * the stage in another one.
   * @throws EnvironmentLostError when the stage neither runs nor left its exit status. Output that it wrote before is
   * delivered first.
   */
  resume(
    command: StageCommand,
    handle: JsonValue,
    io: StageIo,
    signal: AbortSignal,
  ): Promise<ExitStatus | 'not_started'>;

  /**
   * Tells which stages come after the one that runs, up to the first that runs code of the user. A hint as
   * `Lease.expect`; only while nothing of the user's runs in the job.
   */
  expect?(stages: readonly StageHint[]): void;

  /**
   * Ends and removes everything. Idempotent; never throws for what is gone already.
   * `signal` bounds the time it may take.
   */
  cleanup(signal: AbortSignal): Promise<CleanupReport>;
}

/** What is known of a stage before its turn. */
export interface StageHint {
  readonly where: 'build' | 'helper';
  /** Nothing of the user's runs in it. */
  readonly isOurs?: boolean;
}

export interface StageCommand extends StageHint {
  /** Stage id, `step_script`. */
  readonly stage: string;
  /** Program text for the plan's shell. Empty on `resume`. */
  readonly script: string;
}

export type OutputStream = 'stdout' | 'stderr';

/** What an executor may do for one run of a stage. */
export interface StageIo {
  /** Private folder of this stage run (0700, exists). Survives the manager. */
  readonly directory: string;
  /** Durable when it returns, see `JobIo.recordEnvironment`. */
  recordStage(handle: JsonValue): void;
  /**
   * Takes output. Wait for the returned promise before giving more (back-pressure).
   * `cursor` says where reading has to go on after these bytes; it comes back as `StageIo.cursor`.
   */
  write(stream: OutputStream, bytes: Uint8Array, cursor: JsonValue): void | Promise<void>;
  /** Where `resume` starts to read; undefined = at the beginning. */
  readonly cursor: JsonValue | undefined;
  /**
   * The last cursor that would come back after a crash; undefined = none yet. Output before it may be removed: where
   * the method is absent it is kept until the stage's directory goes. Cheap; asked after every piece of output.
   */
  durableCursor?(): JsonValue | undefined;
}

export interface ExitStatus {
  /** Exit code as signed 32 bit; -1 when a signal ended the script. */
  readonly code: number;
  /** As this executor says it: `exit status 1`, `signal: killed`, `exit code 1`. */
  readonly text: string;
}

export interface CleanupReport {
  /** What could not be removed, each with its reason; empty = all clean. */
  readonly leftovers: readonly string[];
}
