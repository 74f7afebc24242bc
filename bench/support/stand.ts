import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finishedStatuses, type JobView, until } from '../../test/support/runner-bench.ts';
import { CoordinatorProcess } from './coordinator-process.ts';
import type { RunnerProgram } from './program.ts';
import { RunnerProcess, type RunnerSettings } from './runner-process.ts';

/** A runner on the stand: its jobs go to it alone. */
export interface Runner {
  readonly kind: RunnerProgram['kind'];
  readonly process: RunnerProcess;
  /** Names it to the coordinator. */
  readonly tag: string;
  readonly folder: string;
}

type StandSettings = Omit<RunnerSettings, 'url' | 'token' | 'folder'>;

/** One coordinator, and the runners under comparison side by side: each waits while the other has a job. */
export class Stand {
  readonly folder: string;
  readonly coordinator: CoordinatorProcess;
  readonly #runners: RunnerProcess[] = [];

  private constructor(folder: string, coordinator: CoordinatorProcess) {
    this.folder = folder;
    this.coordinator = coordinator;
  }

  static async start(): Promise<Stand> {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
    return new Stand(folder, await CoordinatorProcess.start(join(folder, 'coordinator')));
  }

  /** Starts a runner and waits until it has asked for a job. */
  async startRunner(program: RunnerProgram, settings: StandSettings): Promise<Runner> {
    const { coordinator } = this;
    const tag = `${program.kind}-${this.#runners.length}`;
    const folder = join(this.folder, tag);
    const { id, token } = await coordinator.createRunner(tag);
    const runner = new RunnerProcess(program, { ...settings, url: coordinator.url, token, folder });
    this.#runners.push(runner);
    await until(
      `request for a job by ${tag}`,
      30_000,
      async () => {
        if (runner.hasEnded) throw new Error(`${program.command.join(' ')}: ${runner.log}`);
        return (await coordinator.runner(id)).managers.length > 0 ? true : undefined;
      },
      async () => runner.log,
    );
    return { kind: program.kind, process: runner, tag, folder };
  }

  async startRunners(programs: readonly RunnerProgram[], settings: StandSettings): Promise<readonly Runner[]> {
    const runners: Runner[] = [];
    for (const program of programs) runners.push(await this.startRunner(program, settings));
    return runners;
  }

  /**
   * Runs one job to its end.
   * @throws unless it succeeds
   */
  async runJob(runner: Runner, payload: unknown, deadlineMs = 120_000): Promise<JobView> {
    const id = await this.coordinator.submit(runner.tag, payload);
    return await this.succeeded(runner, id, deadlineMs);
  }

  /** @throws unless the job succeeds */
  async succeeded(runner: Runner, id: number, deadlineMs = 120_000): Promise<JobView> {
    const job = await until(
      `end of job ${id}`,
      deadlineMs,
      async () => {
        const seen = await this.coordinator.job(id);
        return finishedStatuses.includes(seen.status) ? seen : undefined;
      },
      async () => `${JSON.stringify(await this.coordinator.job(id))}\n${runner.process.log}`,
    );
    if (job.status === 'success') return job;
    const trace = (await this.coordinator.trace(id)).slice(-2000);
    throw new Error(`a job of ${runner.tag} is ${job.status}:\n${trace}\n${runner.process.log}`);
  }

  /** Ends the processes and removes all files. */
  async close(): Promise<void> {
    await Promise.all(this.#runners.map((runner) => runner.stop()));
    await this.coordinator.close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Runs on a stand that is taken down afterwards. */
export async function withStand<T>(work: (stand: Stand) => Promise<T>): Promise<T> {
  const stand = await Stand.start();
  try {
    return await work(stand);
  } finally {
    await stand.close();
  }
}

/** Seconds from the hand-out to the final update, as the coordinator saw both. */
export function jobSeconds(job: JobView): number {
  return (stamp(job, 'final_update_at') - stamp(job, 'handed_out_at')) / 1000;
}

/** Milliseconds since the epoch. */
export function stamp(job: JobView, name: string): number {
  const text = job.times[name];
  if (text === null || text === undefined) throw new Error(`job ${job.id} has no ${name}`);
  return Date.parse(text);
}
