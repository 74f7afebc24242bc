import { randomUUID } from 'node:crypto';
import { callAt } from '../../platform/timers.ts';
import type { JobRecord, RunnerRecord } from '../state/records.ts';
import { canRun } from '../state/runner-match.ts';

interface Waiter {
  readonly runnerId: number;
  readonly wake: () => void;
}

/** Jobs waiting for a runner, first come first served, and runners waiting for a job. */
export class JobQueue {
  readonly #pending = new Map<number, JobRecord>();
  /** In the order they came; a woken one is taken out. */
  readonly #waiters = new Set<Waiter>();
  readonly #changes = new Map<number, number>();
  readonly #epoch = randomUUID().slice(0, 8);
  readonly #findRunner: (id: number) => RunnerRecord | undefined;
  readonly #now: () => number;

  constructor(findRunner: (id: number) => RunnerRecord | undefined, now: () => number) {
    this.#findRunner = findRunner;
    this.#now = now;
  }

  add(job: JobRecord, runners: Iterable<RunnerRecord>): void {
    this.#pending.set(job.id, job);
    for (const runner of runners) {
      if (canRun(runner, job.tags)) this.#changes.set(runner.id, (this.#changes.get(runner.id) ?? 0) + 1);
    }
    this.#wakeOneFor(job);
  }

  remove(jobId: number): void {
    this.#pending.delete(jobId);
  }

  /** Jobs this runner may take, in order. */
  *offers(runner: RunnerRecord): Iterable<JobRecord> {
    for (const job of this.#pending.values()) {
      if (this.#pending.has(job.id) && canRun(runner, job.tags)) yield job;
    }
  }

  /** The opaque `X-GitLab-Last-Update` of a runner: changes when a job for it arrives. */
  lastUpdate(runnerId: number): string {
    return `${this.#epoch}-${runnerId}-${this.#changes.get(runnerId) ?? 0}`;
  }

  /** Resolves when a job for the runner may be there, at `until` (milliseconds since the epoch), or on abort. */
  async wait(runnerId: number, until: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter: Waiter = { runnerId, wake: resolve };
    const stopTimer = callAt(until, this.#now, resolve);
    const onAbort = (): void => resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waiters.add(waiter);
    await promise;
    this.#waiters.delete(waiter);
    stopTimer();
    signal.removeEventListener('abort', onAbort);
  }

  /** Looks for a waiting runner for every job: after a runner changed, or one that was woken went away. */
  reconsider(): void {
    for (const job of this.#pending.values()) this.#wakeOneFor(job);
  }

  #wakeOneFor(job: JobRecord): void {
    for (const waiter of this.#waiters) {
      const runner = this.#findRunner(waiter.runnerId);
      if (runner === undefined || !canRun(runner, job.tags)) continue;
      this.#waiters.delete(waiter);
      waiter.wake();
      return;
    }
  }
}
