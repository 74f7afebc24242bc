import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  Executor,
  ExecutorProvider,
  ExitStatus,
  Lease,
  OutputStream,
  StageHint,
  StageIo,
} from '../../../src/executors/port.ts';
import type { JsonValue } from '../../../src/lib/json.ts';
import type { BuildPlan } from '../../../src/plan/build-plan.ts';
import { type PlanOverrides, planFor, runnerFor } from './plan.ts';

/** What a stage does, in words that every executor understands: output first, then time, then the exit. */
export interface Behaviour {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly sleepMs?: number;
  readonly exitCode?: number;
}

/** What a group of cases needs. */
export type Capability = 'scripts' | 'processes';

/** An executor under test. */
export interface ExecutorSubject {
  readonly name: 'shell' | 'dummy' | 'docker';
  createProvider(): ExecutorProvider;
  /** The script, or the job variables, that make a stage behave so. */
  express(behaviour: Behaviour): { readonly script: string; readonly variables: Readonly<Record<string, string>> };
  /** How it says an exit code; default `exit status`. */
  readonly exitWords?: string;
  /** Groups that do not apply, each with the reason. */
  readonly skips: Partial<Record<Capability, string>>;
}

export interface RecordedStage {
  readonly directory: string;
  readonly handles: JsonValue[];
  readonly cursors: JsonValue[];
  /** Pieces in the order they came. */
  readonly pieces: { readonly stream: OutputStream; readonly bytes: Buffer }[];
  text(stream: OutputStream): string;
  bytes(stream: OutputStream): Buffer;
}

export interface StageOptions {
  readonly signal?: AbortSignal;
  readonly stage?: string;
  readonly cursor?: JsonValue;
  readonly directory?: string;
  /** Called with every piece, after it was recorded. */
  readonly onWrite?: (stage: RecordedStage) => void | Promise<void>;
  readonly onRecord?: (stage: RecordedStage) => void;
  readonly durableCursor?: () => JsonValue | undefined;
  /** See `StageHint`. */
  readonly isOurs?: boolean;
}

export interface OpenJob {
  readonly directory: string;
  readonly plan: BuildPlan;
  readonly provider: ExecutorProvider;
  readonly lease: Lease;
  readonly executor: Executor;
  readonly logLines: readonly string[];
  readonly environmentHandles: readonly JsonValue[];
  start(script: string, options?: StageOptions): { readonly stage: RecordedStage; readonly exit: Promise<ExitStatus> };
  run(script: string, options?: StageOptions): Promise<{ readonly stage: RecordedStage; readonly exit: ExitStatus }>;
  resume(
    handle: JsonValue,
    options: StageOptions & { readonly directory: string },
  ): { readonly stage: RecordedStage; readonly exit: Promise<ExitStatus | 'not_started'> };
  /** Cleans up, releases, removes the folder. */
  close(): Promise<void>;
}

export const neverAborted = new AbortController().signal;

export function makeJobFolder(): string {
  return mkdtempSync(join(tmpdir(), 'executor-contract-'));
}

/** Prepares an environment, or takes one up that another manager prepared. */
export async function openJob(
  subject: Pick<ExecutorSubject, 'createProvider' | 'name'>,
  overrides: PlanOverrides = {},
  recovery?: { readonly directory: string; readonly handle: JsonValue },
  expected: readonly StageHint[] = [],
): Promise<OpenJob> {
  const plan = planFor(overrides);
  const provider = subject.createProvider();
  const directory = recovery?.directory ?? makeJobFolder();
  const logLines: string[] = [];
  const environmentHandles: JsonValue[] = [];
  const write = (text: string): void => void logLines.push(text);
  const io = {
    log: { print: write, info: write, warning: write, error: write },
    directory,
    recordEnvironment: (handle: JsonValue): void => void environmentHandles.push(handle),
  };
  const lease = await provider.acquire(runnerFor(subject.name), neverAborted);
  if (lease === undefined) throw new Error('no capacity');
  if (expected.length > 0) lease.expect?.(plan, expected);
  const executor =
    recovery === undefined
      ? await lease.prepare(plan, io, neverAborted)
      : await lease.recover(plan, recovery.handle, io, neverAborted);
  if (executor === 'gone') throw new Error('the environment is gone');
  let count = 0;

  const start: OpenJob['start'] = (script, options = {}) => {
    count += 1;
    const folder = options.directory ?? join(directory, `stage-${process.pid}-${count}`);
    mkdirSync(folder, { mode: 0o700 });
    const { stage, stageIo } = recordStage(folder, options);
    const hint = { where: 'build', isOurs: options.isOurs ?? false } as const;
    const command = { stage: options.stage ?? 'step_script', script, ...hint };
    return { stage, exit: executor.run(command, stageIo, options.signal ?? neverAborted) };
  };

  return {
    directory,
    plan,
    provider,
    lease,
    executor,
    logLines,
    environmentHandles,
    start,
    run: async (script, options) => {
      const { stage, exit } = start(script, options);
      return { stage, exit: await exit };
    },
    resume: (handle, options) => {
      const { stage, stageIo } = recordStage(options.directory, options);
      const command = { stage: options.stage ?? 'step_script', script: '', where: 'build' as const };
      return { stage, exit: executor.resume(command, handle, stageIo, options.signal ?? neverAborted) };
    },
    close: async () => {
      await executor.cleanup(neverAborted);
      await lease.release(neverAborted);
      await provider.shutdown(neverAborted);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function recordStage(
  directory: string,
  options: StageOptions,
): { readonly stage: RecordedStage; readonly stageIo: StageIo } {
  let isWriting = false;
  const stage: RecordedStage = {
    directory,
    handles: [],
    cursors: [],
    pieces: [],
    bytes: (stream) => Buffer.concat(stage.pieces.filter((piece) => piece.stream === stream).map(({ bytes }) => bytes)),
    text: (stream) => stage.bytes(stream).toString(),
  };
  const stageIo: StageIo = {
    directory,
    cursor: options.cursor,
    recordStage: (handle) => {
      stage.handles.push(handle);
      options.onRecord?.(stage);
    },
    write: async (stream, bytes, cursor) => {
      if (isWriting) throw new Error('output was given before the last was taken');
      isWriting = true;
      stage.pieces.push({ stream, bytes: Buffer.from(bytes) });
      stage.cursors.push(cursor);
      await options.onWrite?.(stage);
      isWriting = false;
    },
    ...(options.durableCursor === undefined ? {} : { durableCursor: options.durableCursor }),
  };
  return { stage, stageIo };
}

/** Waits for a state. */
export async function eventually<T>(what: string, look: () => T | undefined | false, deadlineMs = 20_000): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
