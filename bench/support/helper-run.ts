import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { RunnerProgram } from './program.ts';

export interface HelperRun {
  readonly seconds: number;
  /** The most it had in memory, MiB. */
  readonly peakMebibytes: number;
}

/** The memory's high mark only rises: the last look before the end is near enough. */
const lookEveryMs = 4;

/** Runs a helper command to its end, with nothing of our own environment. @throws where it fails. */
export async function runHelper(
  { command }: RunnerProgram,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<HelperRun> {
  const [file = '', ...before] = command;
  const startedAt = performance.now();
  const child = spawn(file, [...before, ...args], {
    cwd: options.cwd,
    env: { PATH: process.env['PATH'], HOME: options.cwd, ...options.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  let peakMebibytes = 0;
  const look = setInterval(() => {
    peakMebibytes = Math.max(peakMebibytes, highMark(child.pid ?? 0));
  }, lookEveryMs);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', resolve);
    });
    const seconds = (performance.now() - startedAt) / 1000;
    if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${code}: ${stderr}`);
    return { seconds, peakMebibytes };
  } finally {
    clearInterval(look);
  }
}

function highMark(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
