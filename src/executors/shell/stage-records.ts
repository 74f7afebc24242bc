import { constants } from 'node:os';
import * as z from 'zod';
import type { JsonValue } from '../../lib/json.ts';
import type { SegmentPosition } from '../../platform/segment-files.ts';
import type { ExitStatus } from '../port.ts';

/** What is journalled of a build: enough to find every process of the job again. */
export interface EnvironmentHandle {
  readonly bootId: string;
  readonly jobCookie: string;
}

/** What is journalled of a stage run, before it may begin. */
export interface StageHandle {
  readonly bootId: string;
  readonly stageCookie: string;
  readonly supervisor: { readonly pid: number; readonly startTime: string };
}

/** Where reading of both streams goes on. */
export interface OutputCursor {
  readonly stdout: SegmentPosition;
  readonly stderr: SegmentPosition;
}

const environmentSchema = z.object({ bootId: z.string(), jobCookie: z.string().min(1) });

const stageSchema = z.object({
  bootId: z.string(),
  stageCookie: z.string().min(1),
  pid: z.int().positive(),
  startTime: z.string(),
});

const index = z.int().nonnegative();
const cursorSchema = z.tuple([index, index, index, index]);

export function parseEnvironmentHandle(value: JsonValue): EnvironmentHandle {
  return environmentSchema.parse(value);
}

export function parseStageHandle(value: JsonValue): StageHandle {
  const { bootId, stageCookie, pid, startTime } = stageSchema.parse(value);
  return { bootId, stageCookie, supervisor: { pid, startTime } };
}

export function stageHandleValue({ bootId, stageCookie, supervisor }: StageHandle): JsonValue {
  return { bootId, stageCookie, pid: supervisor.pid, startTime: supervisor.startTime };
}

/** Kept as four numbers: it is part of every checkpoint. */
export function cursorValue(cursor: OutputCursor): JsonValue {
  const { stdout, stderr } = cursor;
  return [stdout.segment, stdout.offset, stderr.segment, stderr.offset];
}

export function parseCursor(value: JsonValue | undefined): OutputCursor {
  const [outSegment, outOffset, errorSegment, errorOffset] =
    value === undefined ? [0, 0, 0, 0] : cursorSchema.parse(value);
  return {
    stdout: { segment: outSegment, offset: outOffset },
    stderr: { segment: errorSegment, offset: errorOffset },
  };
}

/** What the `status` file of a stage tells. */
export interface StageStatus {
  /** The shell was told to run the script, and does. */
  readonly hasBegun: boolean;
  /** How the shell ended; undefined while it runs. */
  readonly exit: ExitStatus | undefined;
  /** All output is on disk. */
  readonly isDone: boolean;
}

/**
 * Reads the `status` file: nothing before the stage begins, then `begun`, `<code> end` once the shell has ended, at
 * last `done`. What the supervising shell said when a signal ended the user's comes before the code.
 */
export function parseStatus(text = ''): StageStatus {
  const hasBegun = text.startsWith('begun\n');
  const rest = hasBegun ? text.slice('begun\n'.length) : text;
  const match = /(?:^|\n)(\d+) end\n(done\n)?$/.exec(rest);
  if (match === null) return { hasBegun, exit: undefined, isDone: false };
  const code = Number(match[1]);
  const isDone = match[2] !== undefined;
  // ksh adds 256 and says nothing.
  const wasKilled = code > 256 || (match.index > 0 && code > 128);
  if (wasKilled) return { hasBegun, exit: { code: -1, text: `signal: ${signalText(code & 127)}` }, isDone };
  return { hasBegun, exit: { code, text: `exit status ${code}` }, isDone };
}

/** What users of the runner know signals as. */
const signalTexts: Readonly<Record<string, string>> = {
  SIGHUP: 'hangup',
  SIGINT: 'interrupt',
  SIGQUIT: 'quit',
  SIGILL: 'illegal instruction',
  SIGTRAP: 'trace/breakpoint trap',
  SIGABRT: 'aborted',
  SIGBUS: 'bus error',
  SIGFPE: 'floating point exception',
  SIGKILL: 'killed',
  SIGUSR1: 'user defined signal 1',
  SIGSEGV: 'segmentation fault',
  SIGUSR2: 'user defined signal 2',
  SIGPIPE: 'broken pipe',
  SIGALRM: 'alarm clock',
  SIGTERM: 'terminated',
  SIGXCPU: 'CPU time limit exceeded',
  SIGXFSZ: 'file size limit exceeded',
  SIGSYS: 'bad system call',
};

function signalText(signal: number): string {
  const name = Object.entries(constants.signals).find(([, value]) => value === signal)?.[0];
  return (name === undefined ? undefined : signalTexts[name]) ?? `signal ${signal}`;
}
