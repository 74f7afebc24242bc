import { join } from 'node:path';
import * as z from 'zod';
import { abortReasonOf } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';
import { EnvironmentLostError } from '../../lib/errors.ts';
import type { JsonValue } from '../../lib/json.ts';
import type { BuildPlan } from '../../plan/build-plan.ts';
import { readStateFile, replaceStateFile } from '../../platform/state-file.ts';
import type { CleanupReport, Executor, ExitStatus, StageCommand, StageIo } from '../port.ts';
import { environmentSwitches, type StageSwitches, stageSwitches } from './dummy-switches.ts';

const stateFile = 'dummy.json';
const stateSchema = z.object({ endsAtMs: z.number() });
const count = z.int().nonnegative();
const cursorSchema = z.object({ stdout: count, stderr: count });

const pieceBytes = 64 * 1024;
const fillLine = Buffer.from(`${'0123456789abcdef'.repeat(4)}\n`);

/**
 * Obeys the job's DUMMY_ variables (dummy-switches.ts) instead of running anything, and complains about callers that
 * break the port's contract. A stage "runs on" while no manager lives: what it does follows from its start time.
 */
export function createDummyExecutor(plan: BuildPlan, clock: Clock): Executor & { readonly isCleanedUp: () => boolean } {
  let activeStage: string | undefined;
  let activeSignal: AbortSignal | undefined;
  let isCleanedUp = false;

  async function alone<T>(command: StageCommand, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (isCleanedUp) throw new Error(`stage ${command.stage} was started after cleanup`);
    if (activeStage !== undefined) throw new Error(`stage ${command.stage} was started while ${activeStage} runs`);
    activeStage = command.stage;
    activeSignal = signal;
    try {
      return await work();
    } finally {
      activeStage = undefined;
      activeSignal = undefined;
    }
  }

  async function follow(
    command: StageCommand,
    endsAtMs: number,
    io: StageIo,
    signal: AbortSignal,
  ): Promise<ExitStatus> {
    const switches = stageSwitches(plan.variables, command.stage);
    await deliver(switches, io);
    const leftMs = endsAtMs - clock.now();
    if (leftMs > 0) await clock.sleep(leftMs, signal);
    if (signal.aborted) throw abortReasonOf(signal);
    if (switches.loseEnvironment) throw new EnvironmentLostError('the dummy environment vanished, as it was told to');
    return { code: switches.exitCode, text: `exit status ${switches.exitCode}` };
  }

  return {
    isCleanedUp: () => isCleanedUp,

    run: (command, io, signal) =>
      alone(command, signal, async () => {
        if (signal.aborted) throw abortReasonOf(signal);
        if (io.cursor !== undefined) throw new Error(`stage ${command.stage} was started with a cursor`);
        const path = join(io.directory, stateFile);
        if (readStateFile(path) !== undefined) throw new Error(`stage ${command.stage} was started twice`);
        const endsAtMs = clock.now() + stageSwitches(plan.variables, command.stage).sleepMs;
        io.recordStage({ endsAtMs });
        replaceStateFile(path, JSON.stringify({ endsAtMs }));
        return await follow(command, endsAtMs, io, signal);
      }),

    resume: (command, handle, io, signal) =>
      alone(command, signal, async () => {
        const text = readStateFile(join(io.directory, stateFile));
        if (handle === null || text === undefined) return 'not_started';
        return await follow(command, parseState(text).endsAtMs, io, signal);
      }),

    cleanup: async (): Promise<CleanupReport> => {
      // Who gave up waiting for an aborted stage may clean up.
      if (activeSignal?.aborted === false) throw new Error(`cleanup was called while ${activeStage} runs`);
      isCleanedUp = true;
      const { leftover } = environmentSwitches(plan.variables);
      return { leftovers: leftover === '' ? [] : [leftover] };
    },
  };
}

async function deliver(switches: StageSwitches, io: StageIo): Promise<void> {
  const start = io.cursor === undefined ? { stdout: 0, stderr: 0 } : parseCursor(io.cursor);
  let { stderr } = start;
  const errors = Buffer.from(switches.stderr);
  while (stderr < errors.length) {
    const piece = errors.subarray(stderr, stderr + pieceBytes);
    stderr += piece.length;
    await io.write('stderr', piece, { stdout: start.stdout, stderr });
  }
  let { stdout } = start;
  const text = Buffer.from(switches.stdout);
  const total = text.length + switches.fillBytes;
  while (stdout < total) {
    const piece =
      stdout < text.length ? text.subarray(stdout, stdout + pieceBytes) : fill(stdout - text.length, total - stdout);
    stdout += piece.length;
    await io.write('stdout', piece, { stdout, stderr });
  }
}

/** The next piece of an endless run of lines. */
function fill(offset: number, atMost: number): Buffer {
  const phase = offset % fillLine.length;
  const piece = Buffer.alloc(Math.min(atMost, pieceBytes));
  const shifted = Buffer.concat([fillLine.subarray(phase), fillLine.subarray(0, phase)]);
  return piece.fill(shifted);
}

function parseState(text: string): { readonly endsAtMs: number } {
  return stateSchema.parse(JSON.parse(text));
}

function parseCursor(value: JsonValue): { readonly stdout: number; readonly stderr: number } {
  return cursorSchema.parse(value);
}
