import type { PipelineNode } from '../state/advance.ts';
import { pipelineComposite } from '../state/advance.ts';
import { pipelineStatusOf } from '../state/composite-status.ts';
import { isCompleted, isFailureAllowed, type JobRecord, type PipelineRecord } from '../state/records.ts';
import { selectJobs } from '../state/select-jobs.ts';
import { EventLog } from '../store/event-log.ts';
import type { JobStatus, PipelineEvent, PipelineStatus, PipelineSubmission, SubmittedJob } from '../submission.ts';
import type { JobBook } from './job-book.ts';

/** A pipeline, its definition and the latest attempt of each of its jobs. */
export class LivePipeline {
  record: PipelineRecord;
  readonly submission: PipelineSubmission;
  /** Jobs that take part, in order of definition. */
  readonly jobs: readonly SubmittedJob[];
  readonly #definitions: ReadonlyMap<string, SubmittedJob>;
  /** The part of the graph that never changes. */
  readonly #graph: readonly Pick<PipelineNode, 'name' | 'stageIndex' | 'needs' | 'when'>[];
  readonly #latest = new Map<string, number>();
  readonly #attempts: number[] = [];
  readonly #book: JobBook;
  readonly #eventsPath: string;
  #events: EventLog | undefined;

  constructor(record: PipelineRecord, submission: PipelineSubmission, book: JobBook, eventsPath: string) {
    this.record = record;
    this.submission = submission;
    this.jobs = selectJobs(submission).jobs;
    this.#definitions = new Map(this.jobs.map((job) => [job.name, job]));
    this.#graph = graphOf(this.jobs, submission.stages);
    this.#book = book;
    this.#eventsPath = eventsPath;
  }

  get id(): number {
    return this.record.id;
  }

  definition(name: string): SubmittedJob | undefined {
    return this.#definitions.get(name);
  }

  /** Takes up an attempt; the one with the highest id is the latest of its name. */
  addAttempt(job: JobRecord): void {
    this.#attempts.push(job.id);
    if ((this.#latest.get(job.name) ?? 0) < job.id) this.#latest.set(job.name, job.id);
  }

  latest(name: string): JobRecord | undefined {
    return this.#book.get(this.#latest.get(name) ?? 0);
  }

  /** The latest attempts, in order of definition. */
  latestJobs(): readonly JobRecord[] {
    return this.jobs.map((job) => this.latest(job.name)).filter((job) => job !== undefined);
  }

  /** Every attempt, oldest first. */
  attempts(): readonly JobRecord[] {
    return this.#attempts.map((id) => this.#book.get(id)).filter((job) => job !== undefined);
  }

  nodes(): readonly PipelineNode[] {
    const nodes: PipelineNode[] = [];
    for (const fixed of this.#graph) {
      const job = this.latest(fixed.name);
      if (job !== undefined) nodes.push({ ...fixed, status: job.status, isFailureAllowed: isFailureAllowed(job) });
    }
    return nodes;
  }

  get status(): PipelineStatus {
    return pipelineStatusOf(pipelineComposite(this.nodes()));
  }

  get isCompleted(): boolean {
    return this.status !== 'manual' && this.#isStill(['manual']);
  }

  /** Nothing moves until somebody plays a job. */
  get isBlocked(): boolean {
    return this.status === 'manual' && this.#isStill(['manual', 'created']);
  }

  get events(): EventLog {
    this.#events ??= new EventLog(this.#eventsPath);
    return this.#events;
  }

  /** The status last told as an event. */
  get toldStatus(): PipelineStatus | undefined {
    return this.events.lastStatus;
  }

  get isWatched(): boolean {
    return this.#events?.isWatched ?? false;
  }

  /** Frees what an ended pipeline does not need; it is opened again when asked for. */
  rest(): void {
    if (this.isWatched) return;
    this.#events?.close();
    this.#events = undefined;
  }

  #isStill(resting: readonly JobStatus[]): boolean {
    return this.latestJobs().every((job) => isCompleted(job.status) || resting.includes(job.status));
  }
}

function graphOf(jobs: readonly SubmittedJob[], stages: readonly string[]) {
  const stageIndexes = new Map(stages.map((stage, index) => [stage, index]));
  return jobs.map((job) => ({
    name: job.name,
    stageIndex: stageIndexes.get(job.stage) ?? 0,
    needs: job.needs?.map((need) => need.job) ?? null,
    when: job.when,
  }));
}

/** The event that tells where a job is now. */
export function jobEvent(job: JobRecord, at: number): Extract<PipelineEvent, { type: 'job' }> {
  const hasDuration = job.startedAt !== null && job.finishedAt !== null;
  return {
    type: 'job',
    at: new Date(at).toISOString(),
    id: job.id,
    name: job.name,
    stage: job.stage,
    status: job.status,
    allowFailure: isFailureAllowed(job),
    ...(job.failureReason === null ? {} : { failureReason: job.failureReason }),
    ...(job.exitCode === null ? {} : { exitCode: job.exitCode }),
    ...(job.coverage === null ? {} : { coverage: job.coverage }),
    ...(hasDuration ? { durationSeconds: Math.max(0, (job.finishedAt ?? 0) - (job.startedAt ?? 0)) / 1000 } : {}),
    attempt: job.attempt,
  };
}
