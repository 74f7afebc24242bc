import type { RunnerConfig } from '../config/runner-config.ts';
import type { JobPayload } from '../gitlab/job-payload.ts';
import type { RunnerVersion, TlsContents } from '../variables/build-variables.ts';
import type { ExecutorTraits } from './executor-traits.ts';

/** Everything a build is planned from. */
export interface PlanRequest {
  readonly payload: JobPayload;
  readonly runner: RunnerConfig;
  readonly traits: ExecutorTraits;
  /** Smallest number that no other running job of this runner has. */
  readonly concurrentId: number;
  /** The same among jobs of the same project. */
  readonly concurrentProjectId: number;
  /** Of the job request, for git's requests to the server; may be empty. */
  readonly correlationId: string;
  /** What the job gets to reach its server over TLS. */
  readonly tlsData?: TlsContents | undefined;
  /** See `ScriptOptions.outputMark`. */
  readonly outputMark: string;
  readonly version: RunnerVersion;
  /** When the job began, RFC 3339; for the provenance of artifacts. */
  readonly startedAt?: string | undefined;
}
