import type { CacheStores } from '../cache/adapters/cache-stores.ts';
import type { RunnerConfig } from '../config/runner-config.ts';
import type { Lease } from '../executors/port.ts';
import type { JobPayload } from '../gitlab/job-payload.ts';
import type { JobJournal } from '../journal/job-journal.ts';
import type { Journal } from '../journal/journal.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../observability/logger.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import type { TraceDestination } from '../trace/port.ts';
import type { BuildHistory } from './history.ts';
import type { OpenTrace } from './open-trace.ts';

/** What running jobs needs of the world. */
export interface JobEngine {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Makes the plan of a job. @throws JobConfigurationError and others: the job fails with it. */
  readonly plan: (job: JobToRun) => BuildPlan;
  /** Why the job cannot run at all, found at pick-up (spec protocol.md §4.6, §4.7); empty = it can. */
  readonly pickupProblems: (job: JobToRun) => readonly string[];
  /** Where runners keep caches beside the local archives. */
  readonly cacheStores: CacheStores;
  /** Name and version in the trace's first line. */
  readonly productLine: string;
  /** How long a build may take to let go of its stage when the manager stops; it must be ended and reported by then. */
  readonly interruptLimitMs: number;
}

export interface JobToRun {
  readonly payload: JobPayload;
  readonly runner: RunnerConfig;
  readonly correlationId: string;
  readonly tls: TlsContents;
  readonly destination: TraceDestination;
  readonly lease: Lease;
  readonly concurrentId: number;
  readonly concurrentProjectId: number;
}

/** Contents of CI_SERVER_TLS_* files; empty = none. */
export interface TlsContents {
  readonly caChain: string;
  readonly certificate: string;
  readonly privateKey: string;
}

/** `refused`: the coordinator does not want the job any more; it counts as none. */
export type JobEnd = 'finished' | 'refused';

/** What a job that runs has open. */
export interface OpenJob {
  readonly engine: JobEngine;
  readonly journal: JobJournal;
  readonly history: BuildHistory;
  readonly destination: TraceDestination;
  readonly lease: Lease;
  readonly runner: RunnerConfig;
  readonly open: OpenTrace;
  readonly logger: Logger;
  readonly interrupt: AbortSignal;
}

/** An adopted journal with what is needed to go on. */
export interface RecoverableJob {
  readonly journal: JobJournal;
  readonly runner: RunnerConfig;
  readonly destination: TraceDestination;
  readonly lease: Lease;
}
