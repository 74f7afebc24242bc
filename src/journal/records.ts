import type { FailureReason } from '../gitlab/failure-reason.ts';
import type { AbortReasonKind } from '../lib/abort.ts';
import type { JsonValue } from '../lib/json.ts';
import type { BuildPlan } from '../plan/build-plan.ts';

/**
 * What is written down about a running job, each before it is acted on. Reading the records in order gives
 * everything a later manager needs to go on with the job.
 */
export type JournalRecord =
  /** First record: the job was received, nothing was started. */
  | {
      readonly type: 'received';
      readonly jobId: number;
      readonly jobToken: string;
      /** Null when no plan could be made: the job only has to be failed. */
      readonly plan: BuildPlan | null;
      readonly origin: JobOrigin;
    }
  /** The coordinator knows that we run the job. */
  | { readonly type: 'acknowledged' }
  /** The job's time runs from here (milliseconds since the epoch). */
  | { readonly type: 'clockStarted'; readonly atMs: number }
  /** Last handle the executor gave for its environment. */
  | { readonly type: 'environment'; readonly handle: JsonValue }
  /** The executor is ready; the trace holds what it had to say about that. */
  | { readonly type: 'prepared'; readonly trace: JsonValue }
  | { readonly type: 'stageStarted'; readonly run: number; readonly stage: string; readonly atMs: number }
  /** Last handle the executor gave for this run of a stage. */
  | { readonly type: 'stageHandle'; readonly run: number; readonly handle: JsonValue }
  /** Position of the trace, and of the output of the stage that runs (`run`), both of one moment. */
  | { readonly type: 'checkpoint'; readonly trace: JsonValue; readonly run: number | null; readonly cursor: JsonValue }
  | { readonly type: 'stageEnded'; readonly run: number; readonly end: StageEnd; readonly trace: JsonValue }
  /** The start of this run was recorded but did not happen: the stage is run under the next number. */
  | { readonly type: 'stageVoid'; readonly run: number }
  /** A request to stop the job or its script that counted. */
  | {
      readonly type: 'stopped';
      readonly scope: 'job' | 'script';
      readonly reason: AbortReasonKind;
      readonly message: string;
    }
  /** The build is over; what is left is to report it. */
  | { readonly type: 'finished'; readonly result: RecordedResult; readonly trace: JsonValue };

/** Where the job came from, so that its end can be reported even if config.toml changed meanwhile. */
export interface JobOrigin {
  readonly url: string;
  readonly runnerToken: string;
  readonly runnerName: string;
  readonly executor: string;
  readonly tls: { readonly caFile: string; readonly certFile: string; readonly keyFile: string };
}

export type StageEnd =
  | { readonly kind: 'exit'; readonly code: number; readonly text: string }
  | { readonly kind: 'stopped'; readonly reason: AbortReasonKind; readonly message: string }
  | {
      readonly kind: 'error';
      readonly reason: FailureReason;
      readonly isClassified: boolean;
      readonly message: string;
    };

export interface RecordedResult {
  readonly state: 'success' | 'failed';
  readonly failureReason: FailureReason | null;
  readonly exitCode: number;
}
