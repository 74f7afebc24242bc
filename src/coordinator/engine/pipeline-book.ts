import type { JobRecord, PipelineRecord } from '../state/records.ts';
import { selectJobs } from '../state/select-jobs.ts';
import type { CoordinatorStore, StoredState } from '../store/coordinator-store.ts';
import { newSecret } from '../store/secrets.ts';
import type { PipelineSubmission, SubmittedJob } from '../submission.ts';
import type { CounterBook } from './counter-book.ts';
import type { JobBook } from './job-book.ts';
import { jobEvent, LivePipeline } from './live-pipeline.ts';

/** Every pipeline the coordinator knows. */
export class PipelineBook {
  readonly #store: CoordinatorStore;
  readonly #jobs: JobBook;
  readonly #counters: CounterBook;
  readonly #now: () => number;
  readonly #pipelines = new Map<number, LivePipeline>();

  constructor(
    store: CoordinatorStore,
    jobs: JobBook,
    counters: CounterBook,
    stored: StoredState['pipelines'],
    now: () => number,
  ) {
    this.#store = store;
    this.#jobs = jobs;
    this.#counters = counters;
    this.#now = now;
    for (const { record, submission } of stored) this.#keep(record, submission);
    const attempts = [...jobs.all()].sort((left, right) => left.id - right.id);
    for (const job of attempts) this.of(job)?.addAttempt(job);
  }

  all(): Iterable<LivePipeline> {
    return this.#pipelines.values();
  }

  get(id: number): LivePipeline | undefined {
    return this.#pipelines.get(id);
  }

  /** The pipeline of a job; undefined for a raw job. */
  of(job: JobRecord): LivePipeline | undefined {
    return job.pipelineId === null ? undefined : this.#pipelines.get(job.pipelineId);
  }

  /** Stores a checked submission with all its jobs `created`; nothing moves yet. */
  create(submission: PipelineSubmission): LivePipeline {
    const at = this.#now();
    const { id, iid } = this.#counters.takePipelineIds(submission.project.path);
    const isReady = !submission.wait_for_sources;
    const record: PipelineRecord = { id, iid, createdAt: at, finishedAt: null, isReady, isCanceled: false };
    const { jobs } = selectJobs(submission);
    const firstJobId = this.#counters.takeJobIds(jobs.length);
    this.#store.saveSubmission(id, submission);
    const pipeline = this.#keep(record, submission);
    for (const [index, definition] of jobs.entries()) {
      const job = newJob(definition, firstJobId + index, id, at);
      this.#jobs.add(job);
      pipeline.addAttempt(job);
      pipeline.events.append(jobEvent(job, at));
    }
    // Last: a pipeline without its record was never accepted.
    this.#store.savePipeline(record);
    return pipeline;
  }

  update(pipeline: LivePipeline, facts: Partial<Pick<PipelineRecord, 'finishedAt' | 'isReady' | 'isCanceled'>>): void {
    const record = { ...pipeline.record, ...facts };
    this.#store.savePipeline(record);
    pipeline.record = record;
  }

  async remove(pipeline: LivePipeline): Promise<void> {
    this.#pipelines.delete(pipeline.id);
    pipeline.events.close();
    for (const job of pipeline.attempts()) await this.#jobs.remove(job.id);
    await this.#store.removePipeline(pipeline.id);
  }

  #keep(record: PipelineRecord, submission: PipelineSubmission): LivePipeline {
    const path = this.#store.folders.events(record.id);
    const pipeline = new LivePipeline(record, submission, this.#jobs, path);
    this.#pipelines.set(record.id, pipeline);
    return pipeline;
  }
}

function newJob(definition: SubmittedJob, id: number, pipelineId: number, at: number): JobRecord {
  return {
    ...blankJob(id, at),
    pipelineId,
    name: definition.name,
    stage: definition.stage,
    tags: definition.tags,
    allowFailure: definition.allow_failure,
    allowFailureExitCodes: definition.allow_failure_exit_codes,
  };
}

/** A job about which nothing but its id is known. */
export function blankJob(id: number, at: number): JobRecord {
  return {
    id,
    pipelineId: null,
    name: '',
    stage: '',
    attempt: 1,
    isRetried: false,
    status: 'created',
    token: newSecret('job'),
    tags: [],
    allowFailure: false,
    allowFailureExitCodes: [],
    failureReason: null,
    exitCode: null,
    coverage: null,
    handOut: null,
    createdAt: at,
    pendingAt: null,
    startedAt: null,
    firstTraceAt: null,
    finalUpdateAt: null,
    finishedAt: null,
    scheduledFor: null,
    isPlayed: false,
    playVariables: [],
    artifacts: [],
    dotenv: [],
    traceReport: null,
  };
}
