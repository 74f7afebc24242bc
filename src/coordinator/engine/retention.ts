import { errorMessage } from '../../lib/errors.ts';
import { isCompleted } from '../state/records.ts';
import type { CoordinatorCore } from './core.ts';
import type { Deadlines } from './deadlines.ts';

const requestDelayMs = 1000;

/** Removes finished pipelines and raw jobs beyond the number and age to keep. One run at a time. */
export class Retention {
  readonly #core: CoordinatorCore;
  readonly #deadlines: Deadlines;
  #running: Promise<void> | undefined;
  #isRequested = false;

  constructor(core: CoordinatorCore, deadlines: Deadlines) {
    this.#core = core;
    this.#deadlines = deadlines;
  }

  /** Starts a run soon; many calls make one run. */
  request(): void {
    if (this.#isRequested) return;
    this.#isRequested = true;
    this.#deadlines.set('retention', this.#core.now() + requestDelayMs, () => {
      this.#isRequested = false;
      this.start();
    });
  }

  /** Starts a run unless one is under way. Failures are logged; the next run tries again. */
  start(): void {
    this.#running ??= this.#run()
      .catch((error: unknown) => {
        this.#core.logger.warn('old pipelines could not be removed', { error: errorMessage(error) });
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Resolves when no run is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    await this.#removePipelines();
    await this.#removeRawJobs();
  }

  async #removePipelines(): Promise<void> {
    const { pipelines, options, sources } = this.#core;
    const finished = [...pipelines.all()].filter((pipeline) => pipeline.record.finishedAt !== null);
    const byAge = finished.sort((left, right) => (right.record.finishedAt ?? 0) - (left.record.finishedAt ?? 0));
    for (const [index, pipeline] of byAge.entries()) {
      if (pipeline.isWatched) continue;
      if (index < options.keepPipelines && !this.#isOld(pipeline.record.finishedAt)) continue;
      for (const job of pipeline.attempts()) this.#core.traces.forget(job.id);
      await pipelines.remove(pipeline);
      await sources?.removePipeline?.(pipeline.id);
    }
  }

  async #removeRawJobs(): Promise<void> {
    const { jobs, traces, options } = this.#core;
    const finished = [...jobs.all()].filter((job) => job.pipelineId === null && isCompleted(job.status));
    const byAge = finished.sort((left, right) => (right.finishedAt ?? 0) - (left.finishedAt ?? 0));
    for (const [index, job] of byAge.entries()) {
      if (index < options.keepJobs && !this.#isOld(job.finishedAt)) continue;
      traces.forget(job.id);
      await jobs.remove(job.id);
    }
  }

  #isOld(finishedAt: number | null): boolean {
    return this.#core.now() - (finishedAt ?? 0) > this.#core.options.keepMs;
  }
}
