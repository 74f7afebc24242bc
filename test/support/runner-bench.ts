import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CoordinatorOptions } from '../../src/coordinator/options.ts';
import { type RunningCoordinator, startCoordinator } from '../../src/coordinator/start.ts';

/** A runner program that serves a config.toml with `run`: ours, or another implementation. */
export interface RunnerProgram {
  readonly kind: 'millrace' | 'peer';
  readonly command: readonly string[];
}

const bundle = fileURLToPath(new URL('../../dist/millrace.cjs', import.meta.url));

/** Our program as it is released, but for the Node inside. `npm test` builds it before the suites run. */
export function millrace(): RunnerProgram {
  if (!existsSync(bundle)) throw new Error('dist/millrace.cjs is missing: run npm run build');
  return { kind: 'millrace', command: [process.execPath, bundle] };
}

/** The Go runner that MILLRACE_PEER names. */
export function peer(): RunnerProgram {
  const path = process.env['MILLRACE_PEER'] ?? '';
  if (path === '') throw new Error('MILLRACE_PEER is not set');
  return { kind: 'peer', command: [path] };
}

/** What the coordinator tells of a job. */
export interface JobView {
  readonly id: number;
  readonly name: string;
  readonly status: string;
  readonly failure_reason: string | null;
  readonly exit_code: number | null;
  readonly trace_bytes: number | null;
  readonly trace_report: { readonly checksum: string; readonly bytesize: number; readonly is_equal: boolean } | null;
  readonly artifacts: readonly { readonly type: string; readonly filename: string; readonly sha256: string }[];
  readonly times: Readonly<Record<string, string | null>>;
}

export interface RunnerSettings {
  readonly concurrent?: number;
  /** Default 30. */
  readonly shutdownTimeoutSeconds?: number;
  readonly executor?: string;
  /** More lines of the `[[runners]]` table. */
  readonly runnerLines?: readonly string[];
  /** More arguments of `run`. */
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Default: a runner of its own. */
  readonly token?: string;
  /** Default: a folder of its own, kept when the runner is started again with the same name. */
  readonly name?: string;
}

/** A runner manager in a process of its own. */
export interface RunnerProcess {
  readonly process: ChildProcess;
  /** Its folder: config.toml, state, builds, cache. */
  readonly folder: string;
  readonly buildsFolder: string;
  log(): string;
  kill(signal: NodeJS.Signals): void;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

export const finishedStatuses: readonly string[] = ['success', 'failed', 'canceled', 'skipped'];

/** A coordinator in this process, and runner programs that take jobs from it. */
export class RunnerBench {
  readonly folder: string;
  readonly coordinator: RunningCoordinator;
  readonly #runners: RunnerProcess[] = [];
  #names = 0;

  private constructor(folder: string, coordinator: RunningCoordinator) {
    this.folder = folder;
    this.coordinator = coordinator;
  }

  static async start(options: Partial<CoordinatorOptions> = {}): Promise<RunnerBench> {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
    const coordinator = await startCoordinator({
      dataDir: join(folder, 'coordinator'),
      traceUpdateIntervalSeconds: 1,
      ...options,
    });
    return new RunnerBench(folder, coordinator);
  }

  /** Starts a runner manager; it is ready once it asks for jobs. */
  startRunner(program: RunnerProgram, settings: RunnerSettings = {}): RunnerProcess {
    const name = settings.name ?? `${program.kind}-${++this.#names}`;
    const folder = join(this.folder, name);
    const buildsFolder = join(folder, 'builds');
    mkdirSync(folder, { recursive: true });
    const config = join(folder, 'config.toml');
    if (!existsSync(config)) writeFileSync(config, this.#config(name, folder, settings));
    const [file = '', ...first] = program.command;
    const state = program.kind === 'millrace' ? ['--state-dir', join(folder, 'state')] : [];
    const child = spawn(
      file,
      [...first, 'run', '--config', config, '--working-directory', folder, ...state, ...(settings.arguments ?? [])],
      { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: folder, ...settings.environment } },
    );
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    const ended = new Promise<number | string>((resolve) => {
      child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
    });
    const runner: RunnerProcess = {
      process: child,
      folder,
      buildsFolder,
      log: () => log,
      kill: (signal) => void child.kill(signal),
      ended,
    };
    this.#runners.push(runner);
    return runner;
  }

  #config(name: string, folder: string, settings: RunnerSettings): string {
    const token = settings.token ?? this.coordinator.createRunner({ description: name }).token;
    return [
      `concurrent = ${settings.concurrent ?? 1}`,
      'check_interval = 1',
      `shutdown_timeout = ${settings.shutdownTimeoutSeconds ?? 30}`,
      '[[runners]]',
      `  name = ${JSON.stringify(name)}`,
      `  url = ${JSON.stringify(this.coordinator.url)}`,
      `  token = ${JSON.stringify(token)}`,
      `  executor = ${JSON.stringify(settings.executor ?? 'shell')}`,
      ...(settings.executor === 'docker' ? [] : hostFolders(folder)),
      `  request_concurrency = ${settings.concurrent ?? 1}`,
      ...(settings.runnerLines ?? []).map((line) => `  ${line}`),
      '',
    ].join('\n');
  }

  /** Calls the coordinator's administration API. */
  async api(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(`${this.coordinator.url}/api/millrace/v1/${path}`, {
      method,
      headers: { 'PRIVATE-TOKEN': this.coordinator.adminToken, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return await answer.json();
  }

  /** Queues a job; `payload` is handed out as it is, but for id and token. */
  async submit(payload: unknown): Promise<number> {
    return ((await this.api('POST', 'jobs', payload)) as JobView).id;
  }

  async job(id: number): Promise<JobView> {
    return (await this.api('GET', `jobs/${id}`)) as JobView;
  }

  async trace(id: number): Promise<Buffer> {
    const answer = await fetch(`${this.coordinator.url}/api/millrace/v1/jobs/${id}/trace`, {
      headers: { 'PRIVATE-TOKEN': this.coordinator.adminToken },
    });
    return Buffer.from(await answer.arrayBuffer());
  }

  /** Waits until a job is as wanted. @throws after the deadline, with what it was last. */
  async jobUntil(
    id: number,
    isWanted: (job: JobView) => boolean | Promise<boolean>,
    deadlineMs = 45_000,
  ): Promise<JobView> {
    return await until(
      `job ${id}`,
      deadlineMs,
      async () => {
        const job = await this.job(id);
        return (await isWanted(job)) ? job : undefined;
      },
      async () => JSON.stringify(await this.job(id)),
    );
  }

  async finished(id: number, deadlineMs?: number): Promise<JobView> {
    return await this.jobUntil(id, (job) => finishedStatuses.includes(job.status), deadlineMs);
  }

  /** Waits until the trace as the server has it holds a text. */
  async traceShows(id: number, text: string, deadlineMs = 45_000): Promise<void> {
    await until(
      `"${text}" in the trace of job ${id}`,
      deadlineMs,
      async () => ((await this.trace(id)).includes(text) ? true : undefined),
      async () => (await this.trace(id)).toString(),
    );
  }

  /** Ends every runner and the coordinator, and removes all files. */
  async close(): Promise<void> {
    for (const runner of this.#runners) if (runner.process.exitCode === null) runner.kill('SIGTERM');
    const grace = setTimeout(() => {
      for (const runner of this.#runners) runner.kill('SIGKILL');
    }, 20_000);
    await Promise.all(this.#runners.map((runner) => runner.ended));
    clearTimeout(grace);
    await this.coordinator.close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Containers have folders of their own. */
function hostFolders(folder: string): readonly string[] {
  return ['builds', 'cache'].map((name) => `  ${name}_dir = ${JSON.stringify(join(folder, name))}`);
}

/** Looks again and again until there is something. @throws after the deadline, telling what was seen last. */
export async function until<T>(
  what: string,
  deadlineMs: number,
  look: () => Promise<T | undefined>,
  describe: () => Promise<string> = async () => 'nothing',
): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`no ${what} after ${deadlineMs} ms; last seen: ${await describe()}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export interface ScriptJob {
  readonly name?: string;
  readonly script: readonly string[];
  readonly afterScript?: readonly string[];
  /** Plain public variables; `GIT_STRATEGY` is `none` unless given. */
  readonly variables?: Readonly<Record<string, string>>;
  /** More entries as the payload has them. */
  readonly moreVariables?: readonly Readonly<Record<string, unknown>>[];
  readonly timeoutSeconds?: number;
  /** Members that replace those of the payload. */
  readonly payload?: Readonly<Record<string, unknown>>;
}

/** A payload that runs a script without sources. */
export function scriptJob(job: ScriptJob): Readonly<Record<string, unknown>> {
  const variables = { GIT_STRATEGY: 'none', ...job.variables };
  const step = (name: string, script: readonly string[], when: string) => ({
    name,
    script,
    timeout: 3600,
    when,
    allow_failure: name === 'after_script',
  });
  return {
    allow_git_fetch: true,
    job_info: { name: job.name ?? 'test job', stage: 'test', project_id: 17, project_name: 'project' },
    git_info: {
      repo_url: 'http://gitlab-ci-token:token@127.0.0.1:1/group/project.git',
      ref: 'main',
      sha: 'a'.repeat(40),
      before_sha: '0'.repeat(40),
      ref_type: 'branch',
      refspecs: ['+refs/heads/main:refs/remotes/origin/main'],
      depth: 20,
    },
    runner_info: { timeout: job.timeoutSeconds ?? 3600 },
    variables: [
      { key: 'CI_PROJECT_PATH', value: 'group/project', public: true },
      ...Object.entries(variables).map(([key, value]) => ({ key, value, public: true })),
      ...(job.moreVariables ?? []),
    ],
    steps: [
      step('script', job.script, 'on_success'),
      ...(job.afterScript === undefined ? [] : [step('after_script', job.afterScript, 'always')]),
    ],
    features: {
      trace_sections: true,
      token_mask_prefixes: [],
      failure_reasons: [
        'unknown_failure',
        'script_failure',
        'runner_system_failure',
        'job_execution_timeout',
        'runner_configuration_error',
        'runner_interrupted',
      ],
    },
    ...job.payload,
  };
}

/** The text of a trace without timestamps, continuation marks, section marks and colours. */
export function plainTrace(trace: Buffer | string): string {
  return trace
    .toString()
    .replace(/\n\d{4}-\d\d-\d\dT[\d:.]+Z [0-9a-f]{2}[OE]\+/g, '')
    .replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z [0-9a-f]{2}[OE][ +]/gm, '')
    .replace(/section_(?:start|end):\d+:[^\r]*\r\x1b\[0K/g, '')
    .replace(/\x1b\[[0-9;]*[mK]/g, '');
}
