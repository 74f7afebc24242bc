import type { RunnerConfig } from '../config/runner-config.ts';
import type { Lease } from '../executors/port.ts';
import type { JobPayload } from '../gitlab/job-payload.ts';
import { AbortReason } from '../lib/abort.ts';
import { errorMessage } from '../lib/errors.ts';
import { shortToken } from '../lib/short-token.ts';
import type { LogFields, Logger } from '../observability/logger.ts';
import type { ConcurrencyIdAllocator, TakenIds } from './concurrency-ids.ts';
import { createCondition } from './condition.ts';
import type { JobEnd, JobSignals, ReceivedJob, RunJob } from './run-job.ts';
import type { TokenUsage } from './token-usage.ts';

const LEASE_RELEASE_LIMIT_MS = 5 * 60_000;

/** A job of an earlier manager that this one goes on with. */
export interface AdoptedJob {
  readonly jobId: number;
  readonly runnerToken: string;
  readonly projectId: number;
  readonly concurrentId: number;
  readonly concurrentProjectId: number;
  /** As `RunJob`; it also releases what it leased. */
  run(signals: JobSignals): Promise<JobEnd>;
}

/** Capacity that was reserved for a job before it was asked for. */
export interface JobCapacity {
  readonly lease: Lease;
  readonly usage: TokenUsage;
  /** Gives the slot back. */
  readonly releaseSlot: () => void;
  /** The job was refused at pick-up. */
  readonly onRefused: () => void;
}

/** Runs jobs side by side; one bad job never touches another. */
export interface JobSupervisor {
  /** Takes over the capacity and gives it back when the job is over. */
  start(job: ReceivedJob, capacity: JobCapacity): void;
  adopt(job: AdoptedJob, usage: TokenUsage, releaseSlot: () => void): void;
  /** Also interrupts jobs that start later. */
  interruptAll(reason: AbortReason): void;
  readonly count: number;
  /** Resolves once no job runs; rejects with the signal's reason. */
  idle(signal: AbortSignal): Promise<void>;
}

export interface JobSupervisorOptions {
  readonly ids: ConcurrencyIdAllocator;
  readonly runJob: RunJob;
  readonly logger: Logger;
}

export function createJobSupervisor({ ids, runJob, logger }: JobSupervisorOptions): JobSupervisor {
  const running = new Set<AbortController>();
  const changed = createCondition();
  /** Jobs whose capacity is not given back yet. */
  let count = 0;
  let interruption: AbortReason | undefined;

  /** Every job has one root promise, and it catches everything. */
  async function supervise(fields: LogFields, run: (signals: JobSignals) => Promise<JobEnd>): Promise<JobEnd> {
    const controller = new AbortController();
    running.add(controller);
    if (interruption !== undefined) controller.abort(interruption);
    logger.info('Added job to processing list', fields);
    try {
      return await run({ interrupt: controller.signal });
    } catch (error) {
      logger.error('A job ended with an unexpected error', { ...fields, error: describe(error) });
      return 'finished';
    } finally {
      running.delete(controller);
      logger.info('Removed job from processing list', fields);
    }
  }

  async function runReceived(job: ReceivedJob, capacity: JobCapacity, taken: TakenIds): Promise<void> {
    const { concurrentId, concurrentProjectId } = taken;
    const end = await supervise(jobFields(job.payload, job.runner), (signals) =>
      runJob(job, { lease: capacity.lease, concurrentId, concurrentProjectId }, signals),
    );
    if (end === 'refused') capacity.onRefused();
    await releaseLease(capacity.lease, logger);
    giveBack(capacity.usage, taken, capacity.releaseSlot);
  }

  async function runAdopted(
    job: AdoptedJob,
    usage: TokenUsage,
    taken: TakenIds,
    releaseSlot: () => void,
  ): Promise<void> {
    const fields = { job: job.jobId, project: job.projectId, runner: shortToken(job.runnerToken) };
    await supervise(fields, (signals) => job.run(signals));
    giveBack(usage, taken, releaseSlot);
  }

  function giveBack(usage: TokenUsage, taken: TakenIds, releaseSlot: () => void): void {
    taken.release();
    usage.jobs -= 1;
    usage.changed.notify();
    releaseSlot();
    count -= 1;
    changed.notify();
  }

  return {
    start: (job, capacity) => {
      count += 1;
      capacity.usage.jobs += 1;
      const taken = ids.take(job.runner.token, job.payload.job_info.project_id);
      void runReceived(job, capacity, taken);
    },
    adopt: (job, usage, releaseSlot) => {
      count += 1;
      usage.jobs += 1;
      const taken = ids.reserve(job.runnerToken, job.projectId, job);
      void runAdopted(job, usage, taken, releaseSlot);
    },
    interruptAll: (reason) => {
      interruption ??= reason;
      for (const controller of running) controller.abort(interruption);
    },
    get count() {
      return count;
    },
    idle: (signal) => changed.until(() => count === 0, signal),
  };
}

/** Under a signal of its own: a lease is given back however the job ended. */
export async function releaseLease(lease: Lease, logger: Logger): Promise<void> {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new AbortReason('aborted', 'releasing the executor took too long')),
    LEASE_RELEASE_LIMIT_MS,
  );
  try {
    await lease.release(controller.signal);
  } catch (error) {
    logger.error('Releasing an executor failed', { error: errorMessage(error) });
  } finally {
    clearTimeout(timer);
  }
}

function jobFields(payload: JobPayload, runner: RunnerConfig): LogFields {
  const info = payload.job_info;
  const url = URL.parse(payload.git_info.repo_url);
  return {
    runner_uuid: payload.runner_info.uuid,
    runner: shortToken(runner.token),
    runner_name: runner.name,
    job: payload.id,
    pipeline_id: info.pipeline_id,
    project: info.project_id,
    project_full_path: info.project_full_path,
    namespace_id: info.namespace_id,
    root_namespace_id: info.root_namespace_id,
    organization_id: info.organization_id,
    gitlab_user_id: info.user_id,
    gitlab_scoped_user_id: info.scoped_user_id ?? undefined,
    repo_url: url === null ? undefined : `${url.protocol}//${url.host}${url.pathname}`,
    time_in_queue_seconds: info.time_in_queue_seconds,
    queue_size: info.queue_size,
    queue_depth: info.queue_depth,
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
