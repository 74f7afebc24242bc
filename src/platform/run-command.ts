import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { abortReasonOf } from '../lib/abort.ts';
import { CommandError, systemErrorCode } from '../lib/errors.ts';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment of the process. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How a process ended. */
export interface CommandEnd {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last 16 KiB of standard error. */
  readonly stderr: string;
}

export interface CommandOutput extends CommandEnd {
  readonly stdout: Buffer;
}

/** A running process whose standard streams are ours. Standard error is drained and kept, bounded. */
export interface RunningCommand {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves once the process has ended and its streams are closed; rejects when it cannot be started or was aborted. */
  readonly ended: Promise<CommandEnd>;
}

const keptErrorBytes = 16 * 1024;

/**
 * Starts a process in a group of its own, so that Ctrl-C of the terminal does not reach it behind our back.
 * Aborting the signal kills the group.
 */
export function startCommand(command: Command, signal: AbortSignal): RunningCommand {
  signal.throwIfAborted();
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: command.env,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  // Written to after the process has ended: its exit code says what happened.
  child.stdin.on('error', () => {});
  const onAbort = (): void => killGroup(child);
  signal.addEventListener('abort', onAbort, { once: true });
  const ended = waitForEnd(child, command, signal).finally(() => signal.removeEventListener('abort', onAbort));
  ended.catch(() => {});
  return { stdin: child.stdin, stdout: child.stdout, ended };
}

/**
 * Runs a process to its end and collects its output. A non-zero exit is a value.
 * @param input what standard input gets; nothing by default.
 * @throws the signal's reason; an error where the program is missing.
 */
export async function runCommand(
  command: Command,
  signal: AbortSignal,
  input: string | Uint8Array = '',
): Promise<CommandOutput> {
  const running = startCommand(command, signal);
  const chunks: Buffer[] = [];
  running.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  running.stdin.end(input);
  const end = await running.ended;
  return { ...end, stdout: Buffer.concat(chunks) };
}

async function waitForEnd(
  child: ChildProcess & { readonly stderr: Readable },
  command: Command,
  signal: AbortSignal,
): Promise<CommandEnd> {
  let stderr = Buffer.alloc(0);
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-keptErrorBytes);
  });
  return await new Promise<CommandEnd>((resolve, reject) => {
    child.once('error', (error) => {
      if (systemErrorCode(error) !== 'ENOENT') return reject(error);
      const message = `cannot start "${command.file}": it is not installed, or ${command.cwd} does not exist`;
      reject(new CommandError(message, { cause: error, exitCode: 2 }));
    });
    child.once('close', (exitCode, endSignal) => {
      if (signal.aborted) return reject(abortReasonOf(signal));
      resolve({ exitCode, signal: endSignal, stderr: stderr.toString('utf8') });
    });
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group is gone already.
  }
}
