import { type ChildProcess, spawn } from 'node:child_process';
import { millrace } from './runner-bench.ts';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built program while it runs. */
export interface StartedProgram {
  readonly child: ChildProcess;
  /** Standard output so far. */
  shown(): string;
  /** Resolves once either stream shows a text; rejects when the program ends without. */
  printed(text: string): Promise<void>;
  readonly ended: Promise<Ended>;
}

export interface StartOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Starts the program that `npm run build` makes; standard input is empty and no stream is a terminal. */
export function startBuilt(args: readonly string[], { cwd, env }: StartOptions): StartedProgram {
  const [command = '', ...before] = millrace().command;
  const child = spawn(command, [...before, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  const listeners = new Set<() => void>();
  const notify = (): void => {
    for (const listener of listeners) listener();
  };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      notify();
    });
  }
  const { promise: ended, resolve, reject } = Promise.withResolvers<Ended>();
  child.once('error', reject);
  child.once('close', (code) => {
    resolve({ code, ...output });
    notify();
  });
  return {
    child,
    ended,
    shown: () => output.stdout,
    printed: async (text) => {
      const { promise, resolve: found, reject: missed } = Promise.withResolvers<void>();
      const look = (): void => {
        if ((output.stdout + output.stderr).includes(text)) found();
        else if (child.exitCode !== null || child.signalCode !== null) {
          missed(new Error(`"${text}" was not printed:\n${output.stdout}${output.stderr}`));
        }
      };
      listeners.add(look);
      look();
      await promise.finally(() => listeners.delete(look));
    },
  };
}

/** Runs the built program to its end. */
export async function runBuilt(args: readonly string[], options: StartOptions): Promise<Ended> {
  return await startBuilt(args, options).ended;
}
