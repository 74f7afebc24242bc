import type { Logger } from '../observability/logger.ts';
import { silentLogger } from '../observability/logger.ts';
import type { FaultRule } from './faults/fault-rules.ts';
import type { DotenvLimits } from './payload/dotenv.ts';
import { gitLabDotenvLimits } from './payload/dotenv.ts';
import type { SourcesFactory } from './sources-mount.ts';

export interface CoordinatorOptions {
  /** Everything the coordinator keeps; made with mode 0700. One coordinator at a time uses it. */
  readonly dataDir: string;
  /** Default: loopback, a free port. */
  readonly listen?: { readonly host?: string; readonly port?: number };
  /** How runners and jobs reach this coordinator; default: the address it listens on. */
  readonly externalUrl?: string;
  /** How long a job request that knows of no change is held; 0 = not at all. Default 50. */
  readonly longPollSeconds?: number;
  /** A job without any call since it was handed out goes back to the queue. Default 120. */
  readonly acknowledgeTimeoutSeconds?: number;
  /** A running job without any call fails with `stuck_or_timeout_failure`. Default 3600. */
  readonly stuckTimeoutSeconds?: number;
  /** Value of `X-GitLab-Trace-Update-Interval`; `none` = no header. Default: 3 while somebody watches the job, else 60. */
  readonly traceUpdateIntervalSeconds?: number | 'none';
  /**
   * A final update whose checksum or size differs from the trace: `record` accepts it, as GitLab does; `strict`
   * answers 412 (up to five times); `strict_reset` also lets the client send the trace anew from offset 0.
   */
  readonly traceCheck?: 'record' | 'strict' | 'strict_reset';
  /** How many final updates of a job are answered 202 first, as GitLab does while it stores a trace. Default 0. */
  readonly pendingFinalUpdates?: number;
  /** How long a final update that speaks of more bytes than have arrived is answered 202. Default 10. */
  readonly incompleteTraceWaitSeconds?: number;
  /** `plain` answers a verification as very old servers do. Default `json`. */
  readonly verifyAnswer?: 'json' | 'plain';
  /** Default 100 MiB. */
  readonly maxTraceBytes?: number;
  /** Default: no limit. */
  readonly maxArtifactBytes?: number;
  readonly dotenvLimits?: DotenvLimits;
  /** New runner tokens expire after this time. Default: never. */
  readonly runnerTokenLifetimeSeconds?: number;
  /** `redirect` sends clients that ask for a direct download to a second origin. Default `never`. */
  readonly directDownload?: 'never' | 'redirect';
  readonly keep?: {
    /** Finished pipelines kept. Default 50. */
    readonly pipelines?: number;
    /** Finished raw jobs kept. Default 1000. */
    readonly jobs?: number;
    /** Days that finished pipelines and raw jobs are kept. Default 30. */
    readonly days?: number;
  };
  /** Faults to inject, for tests. Default none. */
  readonly faults?: readonly FaultRule[];
  readonly faultSeed?: number;
  readonly sources?: SourcesFactory;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly logger?: Logger;
}

const secondsPerDay = 86_400;

/** The options with every default filled in; times in milliseconds. */
export function completeOptions(options: CoordinatorOptions) {
  return {
    dataDir: options.dataDir,
    host: options.listen?.host ?? '127.0.0.1',
    port: options.listen?.port ?? 0,
    externalUrl: options.externalUrl?.replace(/\/+$/, ''),
    longPollMs: (options.longPollSeconds ?? 50) * 1000,
    acknowledgeTimeoutMs: (options.acknowledgeTimeoutSeconds ?? 120) * 1000,
    stuckTimeoutMs: (options.stuckTimeoutSeconds ?? 3600) * 1000,
    traceUpdateInterval: options.traceUpdateIntervalSeconds,
    traceCheck: options.traceCheck ?? 'record',
    pendingFinalUpdates: options.pendingFinalUpdates ?? 0,
    incompleteTraceWaitMs: (options.incompleteTraceWaitSeconds ?? 10) * 1000,
    verifyAnswer: options.verifyAnswer ?? 'json',
    maxTraceBytes: options.maxTraceBytes ?? 100 * 1024 * 1024,
    maxArtifactBytes: options.maxArtifactBytes ?? Number.POSITIVE_INFINITY,
    dotenvLimits: options.dotenvLimits ?? gitLabDotenvLimits,
    runnerTokenLifetimeMs:
      options.runnerTokenLifetimeSeconds === undefined ? undefined : options.runnerTokenLifetimeSeconds * 1000,
    directDownload: options.directDownload ?? 'never',
    keepPipelines: options.keep?.pipelines ?? 50,
    keepJobs: options.keep?.jobs ?? 1000,
    keepMs: (options.keep?.days ?? 30) * secondsPerDay * 1000,
    faults: options.faults ?? [],
    faultSeed: options.faultSeed ?? 1,
    sources: options.sources,
    now: options.now ?? Date.now,
    logger: options.logger ?? silentLogger,
  };
}

export type CompleteOptions = ReturnType<typeof completeOptions>;
