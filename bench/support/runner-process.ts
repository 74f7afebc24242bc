import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunnerProgram } from './program.ts';

export type Home = 'yours' | 'empty';

export interface RunnerSettings {
  readonly url: string;
  readonly token: string;
  /** Of its own: config.toml, state, builds, cache. */
  readonly folder: string;
  readonly concurrent: number;
  readonly executor: 'shell' | 'dummy' | 'docker';
  /** More lines of config.toml: tables of the executor. */
  readonly executorLines?: readonly string[];
  /** `yours`: the login shells of jobs read your profile. `empty`: nothing but /etc/profile. */
  readonly home: Home;
  /** KiB; undefined = the program's default. */
  readonly outputLimit?: number | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

/** A runner manager of either program, in a process of its own. */
export class RunnerProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #log = '';
  #hasEnded = false;

  constructor(program: RunnerProgram, settings: RunnerSettings) {
    const { folder } = settings;
    mkdirSync(folder, { recursive: true });
    const config = join(folder, 'config.toml');
    writeFileSync(config, configText(settings));
    const [file = '', ...first] = program.command;
    const state = program.kind === 'millrace' ? ['--state-dir', join(folder, 'state')] : [];
    const rest = ['run', '--config', config, '--working-directory', folder, ...state];
    this.#child = spawn(file, [...first, ...rest], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...(settings.home === 'empty' ? { HOME: folder } : {}), ...settings.environment },
    });
    this.pid = this.#child.pid ?? 0;
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log += text;
    });
    this.#ended = new Promise((resolve) => {
      const end = (text: string): void => {
        this.#log += text;
        this.#hasEnded = true;
        resolve();
      };
      const kill = (): void => void this.#child.kill('SIGKILL');
      process.once('exit', kill);
      this.#child.once('exit', () => process.off('exit', kill));
      this.#child.once('exit', (code, signal) => end(`ended with ${code ?? signal}`));
      this.#child.once('error', (error) => end(error.message));
    });
  }

  /** What it wrote on its standard error. */
  get log(): string {
    return this.#log;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async stop(): Promise<void> {
    this.signal('SIGTERM');
    const grace = setTimeout(() => this.signal('SIGKILL'), 20_000);
    await this.#ended;
    clearTimeout(grace);
  }
}

function configText(settings: RunnerSettings): string {
  const { folder, concurrent } = settings;
  return [
    `concurrent = ${concurrent}`,
    'shutdown_timeout = 15',
    '[[runners]]',
    '  name = "bench"',
    `  url = ${JSON.stringify(settings.url)}`,
    `  token = ${JSON.stringify(settings.token)}`,
    `  executor = ${JSON.stringify(settings.executor)}`,
    // Containers have folders of their own.
    ...(settings.executor === 'docker' ? [] : ['builds', 'cache']).map(
      (name) => `  ${name}_dir = ${JSON.stringify(join(folder, name))}`,
    ),
    `  request_concurrency = ${Math.min(concurrent, 50)}`,
    ...(settings.outputLimit === undefined ? [] : [`  output_limit = ${settings.outputLimit}`]),
    ...(settings.executorLines ?? []).map((line) => `  ${line}`),
    '',
  ].join('\n');
}
