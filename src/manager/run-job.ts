import type { RunnerConfig } from '../config/runner-config.ts';
import type { Lease } from '../executors/port.ts';
import type { JobPayload } from '../gitlab/job-payload.ts';
import type { TlsData } from '../gitlab/tls-data.ts';
import type { CoordinatorDestination } from './coordinator-destination.ts';

/** A job as a coordinator handed it out, with what was learnt from that answer. */
export interface ReceivedJob {
  readonly payload: JobPayload;
  readonly runner: RunnerConfig;
  /** Goes to git servers and into logs. */
  readonly correlationId: string;
  /** Becomes CI_SERVER_TLS_* variables (spec protocol.md §7.3). */
  readonly tls: TlsData;
  /** Where trace and updates of this job go. */
  readonly destination: CoordinatorDestination;
}

/** The capacity a job runs on. The manager took it and gives it back when `RunJob` has settled. */
export interface JobSlot {
  /** Released by the manager, not by `RunJob`. */
  readonly lease: Lease;
  /** CI_CONCURRENT_ID */
  readonly concurrentId: number;
  /** CI_CONCURRENT_PROJECT_ID */
  readonly concurrentProjectId: number;
}

export interface JobSignals {
  /** Aborted with an `interrupted` reason when the manager is told to stop forcefully. */
  readonly interrupt: AbortSignal;
}

/**
 * Runs one received job to its reported end: trace, acknowledgement, build, final update.
 * Called once per job. Must end soon after `interrupt` is aborted.
 * @returns whether the job was taken; a job refused at pick-up counts as none for the request limit.
 * @throws only bugs: the manager logs them and goes on.
 */
export type RunJob = (job: ReceivedJob, slot: JobSlot, signals: JobSignals) => Promise<JobEnd>;

export type JobEnd = 'finished' | 'refused';
