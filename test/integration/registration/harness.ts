import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseTomlDocument, plainValue } from '../../../src/config/toml-document.ts';
import { type RunningCoordinator, startCoordinator } from '../../../src/coordinator/start.ts';

const program = new URL('../../../src/main.ts', import.meta.url).pathname;

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

export interface Person {
  /** Waits until a text is shown, later than what was waited for before. */
  sees(text: string): Promise<void>;
  types(text: string): void;
}

/** A coordinator, a folder with a config.toml and the program's commands on it. */
export interface Bench {
  readonly coordinator: RunningCoordinator;
  readonly folder: string;
  /** Of config.toml. */
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended>;
  /** Runs a command in a pseudo-terminal. */
  talk(args: readonly string[], dialog: (person: Person) => Promise<void>): Promise<Ended>;
  text(): string;
  write(text: string): void;
  data(): Promise<Record<string, unknown>>;
  /** Runners that the coordinator knows. */
  runners(): Promise<readonly { readonly id: number; readonly managers: readonly unknown[] }[]>;
  close(): Promise<void>;
}

export async function startBench(): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-registration-'));
  const coordinator = await startCoordinator({ dataDir: join(folder, 'server'), listen: { port: 0 } });
  const path = join(folder, 'config.toml');
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    XDG_STATE_HOME: join(folder, 'state'),
    CONFIG_FILE: path,
  };
  return {
    coordinator,
    folder,
    path,
    env,
    run: (args, more = {}) => {
      const child = spawn(process.execPath, [program, ...args], {
        cwd: folder,
        env: { ...env, ...more },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      return collect(child).ended;
    },
    talk: async (args, dialog) => {
      const command = [process.execPath, program, ...args].map((word) => `'${word}'`).join(' ');
      const child = spawn('script', ['-qec', `exec ${command}`, '/dev/null'], { cwd: folder, env, stdio: 'pipe' });
      const { shown, ended } = collect(child);
      let seen = 0;
      await dialog({
        sees: async (text) => {
          const limit = setTimeout(() => child.kill(), 20_000);
          for await (const output of shown()) {
            const at = output.indexOf(text, seen);
            if (at === -1) continue;
            seen = at + text.length;
            clearTimeout(limit);
            return;
          }
          throw new Error(`"${text}" was not shown: ${(await ended).output}`);
        },
        types: (text) => void child.stdin?.write(text),
      });
      return await ended;
    },
    text: () => (existsSync(path) ? readFileSync(path, 'utf8') : ''),
    write: (text) => writeFileSync(path, text, { mode: 0o600 }),
    data: async () => {
      const root = await parseTomlDocument(readFileSync(path, 'utf8'), path);
      return plainValue(root, 'plain') as Record<string, unknown>;
    },
    runners: async () => {
      const headers = { 'PRIVATE-TOKEN': coordinator.adminToken };
      const answer = await fetch(`${coordinator.url}/api/millrace/v1/runners`, { headers });
      return (await answer.json()) as Awaited<ReturnType<Bench['runners']>>;
    },
    close: async () => {
      await coordinator.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function collect(child: ChildProcess): {
  readonly ended: Promise<Ended>;
  readonly shown: () => AsyncGenerator<string>;
} {
  let output = '';
  let isOver = false;
  let wake = (): void => {};
  const { promise: ended, resolve, reject } = Promise.withResolvers<Ended>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      wake();
    });
  }
  child.once('error', reject);
  child.once('close', (code) => {
    isOver = true;
    resolve({ code, output });
    wake();
  });
  return {
    ended,
    shown: async function* () {
      for (;;) {
        yield output;
        if (isOver) return;
        const { promise, resolve: next } = Promise.withResolvers<void>();
        wake = next;
        await promise;
      }
    },
  };
}
