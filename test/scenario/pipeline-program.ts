import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Scratch } from '../integration/sources/harness.ts';

const program = fileURLToPath(new URL('../support/pipeline-program.ts', import.meta.url));

/** A pipeline command that runs. */
export interface RunningProgram {
  readonly child: ChildProcess;
  /** Everything printed so far, both streams. */
  output(): string;
  /** Resolves once a text was printed; rejects when the program ends without. */
  printed(text: string): Promise<void>;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

/** Starts `millrace pipeline <command>` in a folder, with its state below the scratch folder. */
export function startProgram(
  scratch: Scratch,
  folder: string,
  command: string,
  options: Readonly<Record<string, unknown>> = {},
): RunningProgram {
  const env = { ...scratch.env, XDG_STATE_HOME: `${scratch.root}/state` };
  const child = spawn(process.execPath, [program, command, JSON.stringify(options)], { cwd: folder, env });
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  const notify = (): void => {
    for (const listener of waiting) listener();
  };
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8');
    notify();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
    notify();
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.once('close', (code) => {
      resolve({ code, stdout, stderr });
      notify();
    });
  });
  return {
    child,
    output: () => stdout + stderr,
    printed: async (text) =>
      await new Promise<void>((resolve, reject) => {
        const listener = (): void => {
          const isPrinted = (stdout + stderr).includes(text);
          if (!isPrinted && child.exitCode === null) return;
          waiting.delete(listener);
          if (isPrinted) resolve();
          else reject(new Error(`"${text}" was not printed:\n${stdout}${stderr}`));
        };
        waiting.add(listener);
        listener();
      }),
    ended,
  };
}
