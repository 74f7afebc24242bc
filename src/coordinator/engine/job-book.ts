import { applyJobEvent, type JobEvent } from '../state/job-transitions.ts';
import type { JobRecord } from '../state/records.ts';
import type { CoordinatorStore } from '../store/coordinator-store.ts';

export interface JobChange {
  readonly before: JobRecord;
  readonly after: JobRecord;
}

/** What becomes known of a job besides its life cycle. */
export type JobFacts = Partial<
  Pick<
    JobRecord,
    'artifacts' | 'coverage' | 'dotenv' | 'firstTraceAt' | 'isPlayed' | 'isRetried' | 'playVariables' | 'traceReport'
  >
>;

/** Every job the coordinator knows, in memory and on disk. */
export class JobBook {
  readonly #store: CoordinatorStore;
  readonly #jobs = new Map<number, JobRecord>();
  readonly #byToken = new Map<string, number>();

  constructor(store: CoordinatorStore, stored: readonly JobRecord[]) {
    this.#store = store;
    for (const job of stored) this.#keep(job);
  }

  get(id: number): JobRecord | undefined {
    return this.#jobs.get(id);
  }

  byToken(token: string): JobRecord | undefined {
    const id = this.#byToken.get(token);
    return id === undefined ? undefined : this.#jobs.get(id);
  }

  all(): Iterable<JobRecord> {
    return this.#jobs.values();
  }

  add(job: JobRecord): void {
    this.#store.createJob(job);
    this.#keep(job);
  }

  /** @returns undefined when the event does not apply in the job's state. */
  apply(id: number, event: JobEvent): JobChange | undefined {
    const before = this.#jobs.get(id);
    if (before === undefined) return undefined;
    const after = applyJobEvent(before, event);
    if (after === undefined) return undefined;
    // A sign of life is worth a write only the first time.
    const isOnlySignOfLife = event.type === 'call' && typeof before.handOut?.lastCallAt === 'number';
    if (!isOnlySignOfLife || before.status !== after.status) this.#store.saveJob(after);
    this.#keep(after);
    return { before, after };
  }

  /** Adds facts that are not part of the life cycle. */
  patch(id: number, facts: JobFacts): void {
    const before = this.#jobs.get(id);
    if (before === undefined) return;
    this.#store.saveJob({ ...before, ...facts });
    this.note(id, facts);
  }

  /** As `patch`, for facts that the event applied next writes down with its own. */
  note(id: number, facts: JobFacts): void {
    const before = this.#jobs.get(id);
    if (before !== undefined) this.#keep({ ...before, ...facts });
  }

  async remove(id: number): Promise<void> {
    const job = this.#jobs.get(id);
    if (job !== undefined) this.#byToken.delete(job.token);
    this.#jobs.delete(id);
    await this.#store.removeJob(id);
  }

  #keep(job: JobRecord): void {
    const before = this.#jobs.get(job.id);
    if (before !== undefined && before.token !== job.token) this.#byToken.delete(before.token);
    this.#jobs.set(job.id, job);
    this.#byToken.set(job.token, job.id);
  }
}
