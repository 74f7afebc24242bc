import * as z from 'zod';
import { type JobStatus, jobStatuses, variableSchema } from '../submission.ts';

/** What the coordinator keeps on disk about runners, jobs and pipelines. All times are milliseconds since the epoch. */
const time = z.number();

export const artifactRecordSchema = z.object({
  type: z.string(),
  format: z.string(),
  /** Name the client gave. */
  filename: z.string(),
  /** Name inside the job's artifact folder. */
  storedAs: z.string(),
  sizeBytes: z.number(),
  sha256: z.string(),
  expireIn: z.string(),
});

const handOutSchema = z.object({
  runnerId: z.number(),
  systemId: z.string(),
  at: time,
  /** The runner announced `two_phase_job_commit`: the job runs once it says so. */
  isTwoPhase: z.boolean(),
  /** The runner announced `cancel_gracefully`. */
  cancelsGracefully: z.boolean(),
  acknowledgedAt: time.nullable(),
  lastCallAt: time.nullable(),
});

export const jobRecordSchema = z.object({
  id: z.number(),
  /** null = a raw payload submitted alone. */
  pipelineId: z.number().nullable(),
  name: z.string(),
  stage: z.string(),
  /** 1 for the first attempt. */
  attempt: z.number(),
  /** A later attempt took its place. */
  isRetried: z.boolean(),
  status: z.enum(jobStatuses),
  token: z.string(),
  tags: z.array(z.string()),
  allowFailure: z.boolean(),
  allowFailureExitCodes: z.array(z.number()),
  failureReason: z.string().nullable(),
  exitCode: z.number().nullable(),
  coverage: z.number().nullable(),
  handOut: handOutSchema.nullable(),
  createdAt: time,
  pendingAt: time.nullable(),
  startedAt: time.nullable(),
  firstTraceAt: time.nullable(),
  finalUpdateAt: time.nullable(),
  finishedAt: time.nullable(),
  /** Start of a delayed job. */
  scheduledFor: time.nullable(),
  /** A manual job that was started by hand. */
  isPlayed: z.boolean(),
  playVariables: z.array(variableSchema),
  artifacts: z.array(artifactRecordSchema),
  dotenv: z.array(z.object({ key: z.string(), value: z.string() })),
  /** What the final update said of the trace, and whether it was so. */
  traceReport: z.object({ checksum: z.string(), byteSize: z.number(), isEqual: z.boolean() }).nullable(),
});

export const pipelineRecordSchema = z.object({
  id: z.number(),
  iid: z.number(),
  createdAt: time,
  finishedAt: time.nullable(),
  /** Sources arrived, or are not waited for. */
  isReady: z.boolean(),
  isCanceled: z.boolean(),
});

const managerSchema = z.object({
  systemId: z.string(),
  name: z.string(),
  version: z.string(),
  platform: z.string(),
  architecture: z.string(),
  executor: z.string(),
  features: z.record(z.string(), z.boolean()),
  contactedAt: time,
});

export const runnerRecordSchema = z.object({
  id: z.number(),
  token: z.string(),
  tokenExpiresAt: time.nullable(),
  /** Registered with the registration token, or created by an administrator (`glrt-`). */
  origin: z.enum(['registered', 'created']),
  description: z.string(),
  maintenanceNote: z.string(),
  tags: z.array(z.string()),
  runUntagged: z.boolean(),
  isPaused: z.boolean(),
  /** 0 = no limit. */
  maximumTimeoutSeconds: z.number(),
  createdAt: time,
  managers: z.array(managerSchema),
});

export const countersSchema = z.object({
  lastJobId: z.number(),
  lastRunnerId: z.number(),
  lastPipelineId: z.number(),
  /** Last pipeline number of each project, by project path. */
  lastIid: z.record(z.string(), z.number()),
});

export type ArtifactRecord = z.output<typeof artifactRecordSchema>;
export type HandOut = z.output<typeof handOutSchema>;
export type JobRecord = Readonly<z.output<typeof jobRecordSchema>>;
export type PipelineRecord = Readonly<z.output<typeof pipelineRecordSchema>>;
export type RunnerManagerRecord = Readonly<z.output<typeof managerSchema>>;
export type RunnerRecord = Readonly<z.output<typeof runnerRecordSchema>>;
export type Counters = z.output<typeof countersSchema>;

const completed: readonly JobStatus[] = ['success', 'failed', 'canceled', 'skipped'];

export function isCompleted(status: JobStatus): boolean {
  return completed.includes(status);
}

/** A runner has the job: its token works. */
export function isWithRunner(job: JobRecord): boolean {
  return job.handOut !== null && (job.status === 'pending' || job.status === 'running' || job.status === 'canceling');
}

/** The failure of this attempt does not count. */
export function isFailureAllowed(job: JobRecord): boolean {
  return job.allowFailure || (job.exitCode !== null && job.allowFailureExitCodes.includes(job.exitCode));
}
