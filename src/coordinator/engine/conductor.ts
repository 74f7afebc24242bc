import { errorMessage } from '../../lib/errors.ts';
import type { Logger } from '../../observability/logger.ts';
import { type AdvanceStep, advancePipeline, skippedDependents } from '../state/advance.ts';
import type { JobEvent } from '../state/job-transitions.ts';
import { isCompleted, isFailureAllowed, isWithRunner, type JobRecord } from '../state/records.ts';
import { isRetryDue } from '../state/retry.ts';
import { newSecret } from '../store/secrets.ts';
import type { SubmittedVariable } from '../submission.ts';
import type { CounterBook } from './counter-book.ts';
import type { Deadlines } from './deadlines.ts';
import type { JobBook } from './job-book.ts';
import type { JobQueue } from './job-queue.ts';
import { jobEvent, type LivePipeline } from './live-pipeline.ts';
import { blankJob, type PipelineBook } from './pipeline-book.ts';
import type { ResourceGroups } from './resource-groups.ts';
import type { RunnerRegistry } from './runner-registry.ts';

export interface ConductorParts {
  readonly jobs: JobBook;
  readonly pipelines: PipelineBook;
  readonly queue: JobQueue;
  readonly runners: RunnerRegistry;
  readonly resources: ResourceGroups;
  readonly deadlines: Deadlines;
  readonly counters: CounterBook;
  readonly acknowledgeTimeoutMs: number;
  readonly now: () => number;
  readonly logger: Logger;
}

/** Applies events to jobs and draws every consequence: queue, timers, retries, resource groups, the pipeline's advance. */
export class Conductor {
  readonly #parts: ConductorParts;
  readonly #settling = new Set<number>();
  readonly #unsettled = new Set<number>();
  /** Told of every pipeline that came to its end. */
  onPipelineEnd: (pipeline: LivePipeline) => void = () => {};
  onJobEnd: (job: JobRecord) => void = () => {};

  constructor(parts: ConductorParts) {
    this.#parts = parts;
  }

  /** @returns the job afterwards; undefined when the event does not apply in its state. */
  change(jobId: number, event: JobEvent): JobRecord | undefined {
    const change = this.#parts.jobs.apply(jobId, event);
    if (change === undefined) return undefined;
    const { before, after } = change;
    if (before.status !== after.status || before.handOut !== after.handOut) this.#place(after);
    if (before.status !== after.status) this.#follow(before, after);
    return after;
  }

  /** Cancels (`cancel`) or stops at once (`abort`) a whole pipeline. */
  stopPipeline(pipeline: LivePipeline, how: 'cancel' | 'abort'): void {
    this.#parts.pipelines.update(pipeline, { isCanceled: true });
    this.#withoutSettling(pipeline, () => {
      for (const job of pipeline.latestJobs()) this.#stopJob(job, how);
    });
  }

  /**
   * Starts a manual (or delayed) job now, with variables of its own.
   * @returns undefined when the job is not waiting for that.
   */
  play(jobId: number, variables: readonly SubmittedVariable[]): JobRecord | undefined {
    const job = this.#parts.jobs.get(jobId);
    if (job === undefined || !['manual', 'scheduled'].includes(job.status)) return undefined;
    const pipeline = this.#parts.pipelines.of(job);
    this.#parts.jobs.note(jobId, { isPlayed: true, playVariables: [...variables] });
    if (pipeline === undefined) return this.change(jobId, { type: 'enqueue', at: this.#parts.now() });
    this.#withoutSettling(pipeline, () => {
      this.#start(pipeline, jobId);
      for (const name of skippedDependents(pipeline.nodes(), job.name)) {
        const skipped = pipeline.latest(name);
        if (skipped !== undefined) this.change(skipped.id, { type: 'reset' });
      }
    });
    return this.#parts.jobs.get(jobId);
  }

  /** Moves every `created` job whose time has come, and tells the pipeline's status if it changed. */
  settle(pipeline: LivePipeline): void {
    if (this.#settling.has(pipeline.id)) {
      this.#unsettled.add(pipeline.id);
      return;
    }
    this.#settling.add(pipeline.id);
    try {
      do {
        this.#unsettled.delete(pipeline.id);
        if (pipeline.record.isReady) {
          for (const step of advancePipeline(pipeline.nodes())) this.#take(pipeline, step);
        }
      } while (this.#unsettled.has(pipeline.id));
    } finally {
      this.#settling.delete(pipeline.id);
    }
    this.#tellStatus(pipeline);
  }

  /** Puts a job where its state wants it: queue, timers, resource group. Also used after a restart. */
  #place(job: JobRecord): void {
    const { queue, deadlines, runners } = this.#parts;
    if (job.status === 'pending' && job.handOut === null) queue.add(job, runners.all());
    else queue.remove(job.id);
    this.#watchHandOut(job);
    if (job.status === 'scheduled') {
      deadlines.set(`start ${job.id}`, job.scheduledFor ?? 0, () => this.#startDelayed(job.id));
    } else deadlines.clear(`start ${job.id}`);
  }

  #watchHandOut(job: JobRecord): void {
    const { deadlines, acknowledgeTimeoutMs } = this.#parts;
    const name = `acknowledge ${job.id}`;
    if (!isWithRunner(job) || job.handOut === null || job.handOut.lastCallAt !== null) {
      deadlines.clear(name);
      return;
    }
    deadlines.set(name, job.handOut.at + acknowledgeTimeoutMs, () => this.handBack(job.id));
  }

  /** Puts a job that its runner never spoke of back into the queue, under a new token. */
  handBack(jobId: number): void {
    this.#guard(() => {
      this.change(jobId, { type: 'hand_back', at: this.#parts.now(), token: newSecret('job') });
    });
  }

  /** Takes up jobs and pipelines after a restart. */
  resume(): void {
    const { jobs, pipelines } = this.#parts;
    const waiting = [...jobs.all()].sort((left, right) => (left.pendingAt ?? 0) - (right.pendingAt ?? 0));
    for (const job of waiting) {
      this.#holdResource(job);
      if (!isCompleted(job.status)) this.#place(job);
    }
    for (const pipeline of pipelines.all()) {
      if (pipeline.record.finishedAt !== null) continue;
      this.#withoutSettling(pipeline, () => {
        for (const job of pipeline.latestJobs()) this.#retryIfDue(pipeline, job);
      });
    }
  }

  #holdResource(job: JobRecord): void {
    const pipeline = this.#parts.pipelines.of(job);
    const group = pipeline?.definition(job.name)?.resource_group ?? '';
    if (pipeline === undefined || group === '' || !['pending', 'running', 'canceling'].includes(job.status)) return;
    this.#parts.resources.acquire(pipeline.submission.project.path, group, job.id);
  }

  #follow(before: JobRecord, after: JobRecord): void {
    const pipeline = this.#parts.pipelines.of(after);
    const { logger, now } = this.#parts;
    logger.debug('job changed', { job: after.id, from: before.status, to: after.status });
    pipeline?.events.append(jobEvent(after, now()));
    if (isCompleted(after.status)) this.onJobEnd(after);
    if (pipeline === undefined) return;
    if (isCompleted(after.status)) this.#followEnd(pipeline, before, after);
    // A job that starts moves nothing else.
    if (before.status !== 'pending' || after.status !== 'running') this.settle(pipeline);
  }

  #followEnd(pipeline: LivePipeline, before: JobRecord, job: JobRecord): void {
    this.#releaseResource(pipeline, job);
    if (before.status === 'skipped' || job.status !== 'failed') return;
    if (this.#retryIfDue(pipeline, job)) return;
    const isFatal = pipeline.submission.cancel_on_job_failure && !isFailureAllowed(job);
    if (!isFatal) return;
    this.#withoutSettling(pipeline, () => {
      for (const other of pipeline.latestJobs()) this.#stopJob(other, 'cancel');
    });
  }

  #stopJob(job: JobRecord, how: 'cancel' | 'abort'): void {
    // A manual job nobody has to play does not keep a pipeline from ending.
    if (job.status === 'manual' && job.allowFailure) return;
    this.change(job.id, { type: how, at: this.#parts.now() });
  }

  #retryIfDue(pipeline: LivePipeline, job: JobRecord): boolean {
    const definition = pipeline.definition(job.name);
    if (job.status !== 'failed' || job.isRetried || definition === undefined || pipeline.record.isCanceled)
      return false;
    const failed = { failureReason: job.failureReason ?? '', exitCode: job.exitCode, attempt: job.attempt };
    if (!isRetryDue(definition.retry, failed)) return false;
    const { jobs, counters, now } = this.#parts;
    const retry = nextAttempt(job, counters.takeJobIds(1), now());
    jobs.add(retry);
    jobs.patch(job.id, { isRetried: true });
    pipeline.addAttempt(retry);
    pipeline.events.append(jobEvent(retry, now()));
    this.#start(pipeline, retry.id);
    return true;
  }

  #take(pipeline: LivePipeline, step: AdvanceStep): void {
    const job = pipeline.latest(step.name);
    if (job === undefined) return;
    const at = this.#parts.now();
    if (step.action === 'start') this.#start(pipeline, job.id);
    else if (step.action === 'skip') this.change(job.id, { type: 'skip', at });
    else if (step.action === 'schedule') {
      const delayMs = (pipeline.definition(step.name)?.start_in_seconds ?? 0) * 1000;
      this.change(job.id, { type: 'schedule', startAt: at + delayMs });
    } else {
      this.change(job.id, { type: 'hold_for_hand' });
      if (pipeline.submission.play.includes(step.name) && !job.isPlayed) this.play(job.id, []);
    }
  }

  #start(pipeline: LivePipeline, jobId: number): void {
    const job = this.#parts.jobs.get(jobId);
    const group = pipeline.definition(job?.name ?? '')?.resource_group ?? '';
    const isFree = group === '' || this.#parts.resources.acquire(pipeline.submission.project.path, group, jobId);
    this.change(jobId, isFree ? { type: 'enqueue', at: this.#parts.now() } : { type: 'wait_for_resource' });
  }

  #startDelayed(jobId: number): void {
    const job = this.#parts.jobs.get(jobId);
    const pipeline = job === undefined ? undefined : this.#parts.pipelines.of(job);
    if (job?.status === 'scheduled' && pipeline !== undefined) this.#guard(() => this.#start(pipeline, jobId));
  }

  #releaseResource(pipeline: LivePipeline, job: JobRecord): void {
    const group = pipeline.definition(job.name)?.resource_group ?? '';
    if (group === '') return;
    const project = pipeline.submission.project.path;
    this.#parts.resources.release(project, group, job.id);
    for (const other of this.#parts.jobs.all()) {
      if (other.status !== 'waiting_for_resource') continue;
      const otherPipeline = this.#parts.pipelines.of(other);
      if (otherPipeline?.submission.project.path !== project) continue;
      if (otherPipeline.definition(other.name)?.resource_group !== group) continue;
      this.#start(otherPipeline, other.id);
      return;
    }
  }

  /** Runs several changes of one pipeline before drawing its consequences once. */
  #withoutSettling(pipeline: LivePipeline, changes: () => void): void {
    const isOutermost = !this.#settling.has(pipeline.id);
    this.#settling.add(pipeline.id);
    try {
      changes();
    } finally {
      if (isOutermost) this.#settling.delete(pipeline.id);
    }
    this.settle(pipeline);
  }

  #tellStatus(pipeline: LivePipeline): void {
    const { status } = pipeline;
    if (pipeline.toldStatus !== status) {
      pipeline.events.append({
        type: 'pipeline',
        at: new Date(this.#parts.now()).toISOString(),
        id: pipeline.id,
        status,
      });
    }
    pipeline.events.notify();
    const isOver = pipeline.isCompleted;
    if (isOver && pipeline.record.finishedAt === null) {
      this.#parts.pipelines.update(pipeline, { finishedAt: this.#parts.now() });
      this.onPipelineEnd(pipeline);
    } else if (!isOver && pipeline.record.finishedAt !== null) {
      this.#parts.pipelines.update(pipeline, { finishedAt: null });
    }
  }

  /** A timer has no caller to tell: a failed write is logged, the state in memory goes on. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#parts.logger.error('a timed change of a job failed', { error: errorMessage(error) });
    }
  }
}

function nextAttempt(job: JobRecord, id: number, at: number): JobRecord {
  return {
    ...blankJob(id, at),
    pipelineId: job.pipelineId,
    name: job.name,
    stage: job.stage,
    attempt: job.attempt + 1,
    tags: job.tags,
    allowFailure: job.allowFailure,
    allowFailureExitCodes: job.allowFailureExitCodes,
    isPlayed: job.isPlayed,
    playVariables: job.playVariables,
  };
}
