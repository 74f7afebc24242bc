import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { JobView } from '../../test/support/runner-bench.ts';

const program = fileURLToPath(new URL('../coordinator.ts', import.meta.url));

export interface RunnerView {
  readonly id: number;
  readonly token: string;
  readonly managers: readonly unknown[];
}

/** The coordinator's process, and what the bench asks of its administration API. */
export class CoordinatorProcess {
  readonly url: string;
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #adminToken: string;

  private constructor(child: ChildProcess, told: { readonly url: string; readonly adminToken: string }) {
    this.#process = child;
    this.pid = child.pid ?? 0;
    this.url = told.url;
    this.#adminToken = told.adminToken;
  }

  static async start(dataDir: string): Promise<CoordinatorProcess> {
    const child = fork(program, [dataDir], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const told = await new Promise<{ readonly url: string; readonly adminToken: string }>((resolve, reject) => {
      child.once('message', (message) => resolve(message as { readonly url: string; readonly adminToken: string }));
      child.once('exit', (code) => reject(new Error(`the coordinator ended with ${code}`)));
    });
    return new CoordinatorProcess(child, told);
  }

  async #api<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.url}/api/millrace/v1/${path}`, {
      method,
      headers: { 'PRIVATE-TOKEN': this.#adminToken, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** Makes a runner that only takes jobs with its tag. */
  async createRunner(tag: string): Promise<RunnerView> {
    return await this.#api('POST', 'runners', { description: tag, tags: [tag], run_untagged: false });
  }

  async runner(id: number): Promise<RunnerView> {
    return await this.#api('GET', `runners/${id}`);
  }

  async removeRunner(id: number): Promise<void> {
    const path = `${this.url}/api/millrace/v1/runners/${id}`;
    await fetch(path, { method: 'DELETE', headers: { 'PRIVATE-TOKEN': this.#adminToken } });
  }

  /** Queues a job for the runner with this tag. */
  async submit(tag: string, payload: unknown): Promise<number> {
    return (await this.#api<JobView>('POST', `jobs?tags=${encodeURIComponent(tag)}`, payload)).id;
  }

  async job(id: number): Promise<JobView> {
    return await this.#api('GET', `jobs/${id}`);
  }

  async trace(id: number): Promise<string> {
    const answer = await fetch(`${this.url}/api/millrace/v1/jobs/${id}/trace`, {
      headers: { 'PRIVATE-TOKEN': this.#adminToken },
    });
    return await answer.text();
  }

  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#process.once('exit', () => resolve()));
    this.#process.disconnect();
    await ended;
  }
}
