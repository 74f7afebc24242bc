import * as z from 'zod';

/**
 * A compiled pipeline as `millrace pipeline` hands it to a coordinator: the graph of jobs with everything their
 * payloads need, except what only the coordinator knows when it hands a job out (ids, tokens, dotenv variables).
 */
export const variableSchema = z.object({
  key: z.string(),
  value: z.string(),
  public: z.boolean().default(true),
  file: z.boolean().default(false),
  masked: z.boolean().default(false),
  raw: z.boolean().default(false),
});

const image = z.object({
  name: z.string(),
  alias: z.string().optional(),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  ports: z
    .array(z.object({ number: z.number().int(), protocol: z.string().optional(), name: z.string().optional() }))
    .optional(),
  variables: z.array(variableSchema).optional(),
  pull_policy: z.array(z.string()).optional(),
  executor_opts: z.record(z.string(), z.unknown()).optional(),
});

const artifact = z.object({
  name: z.string().optional(),
  untracked: z.boolean().optional(),
  paths: z.array(z.string()).optional(),
  exclude: z.array(z.string()).optional(),
  when: z.enum(['on_success', 'on_failure', 'always']).optional(),
  artifact_type: z.string().optional(),
  artifact_format: z.string().optional(),
  expire_in: z.string().optional(),
});

const cache = z.object({
  key: z.string(),
  untracked: z.boolean().optional(),
  policy: z.string().optional(),
  paths: z.array(z.string()).optional(),
  when: z.enum(['on_success', 'on_failure', 'always']).optional(),
  fallback_keys: z.array(z.string()).optional(),
});

const need = z.object({
  /** Name of a job of this pipeline. */
  job: z.string(),
  artifacts: z.boolean().default(true),
});

export const submittedJobSchema = z.object({
  /** Unique in the pipeline; matrix and parallel instances are separate jobs. */
  name: z.string().min(1),
  stage: z.string(),
  /** Jobs this one waits for; null = all jobs of earlier stages. */
  needs: z.array(need).nullable(),
  /** Names of jobs whose artifacts are downloaded; null = `needs` with artifacts, else all of earlier stages. */
  dependencies: z.array(z.string()).nullable(),
  when: z.enum(['on_success', 'on_failure', 'always', 'manual', 'delayed']),
  allow_failure: z.boolean().default(false),
  /** Exit codes that are allowed to fail, besides `allow_failure`. */
  allow_failure_exit_codes: z.array(z.number().int()).default([]),
  start_in_seconds: z.number().int().nonnegative().default(0),
  retry: z
    .object({ max: z.number().int().min(0).max(2), when: z.array(z.string()), exit_codes: z.array(z.number().int()) })
    .default({ max: 0, when: [], exit_codes: [] }),
  interruptible: z.boolean().default(false),
  timeout_seconds: z.number().int().positive(),
  tags: z.array(z.string()).default([]),
  /** Jobs with the same group run one at a time. */
  resource_group: z.string().default(''),
  /** RE2 text of `coverage`, without slashes; empty = none. */
  coverage: z.string().default(''),
  /** Layers 9 to 15 of spec local-pipeline.md §3.2 in ascending order of precedence (lowest first). */
  variables_below_dotenv: z.array(variableSchema),
  /** Layers 1 to 7, lowest first. */
  variables_above_dotenv: z.array(variableSchema),
  steps: z.array(
    z.object({
      name: z.string(),
      script: z.array(z.string()),
      when: z.string().default('on_success'),
      allow_failure: z.boolean().default(false),
    }),
  ),
  image: image.nullable().default(null),
  services: z.array(image).default([]),
  artifacts: z.array(artifact).default([]),
  cache: z.array(cache).default([]),
  hooks: z.array(z.object({ name: z.string(), script: z.array(z.string()) })).default([]),
  /** The payload's `secrets`, by variable name. */
  secrets: z.record(z.string(), z.unknown()).optional(),
  /** The payload's `inputs`. */
  inputs: z
    .array(z.object({ key: z.string(), value: z.object({ type: z.string(), content: z.unknown() }) }))
    .optional(),
  /** The payload's `run`: native steps as JSON text; then `steps` has no script. */
  run: z.string().optional(),
  /** The job's environment, for people; its variables are among the others. */
  environment: z.object({ name: z.string(), url: z.string().optional(), action: z.string() }).optional(),
});

export const pipelineSubmissionSchema = z.object({
  project: z.object({
    /** Stable number of the project on this machine. */
    id: z.number().int().positive(),
    name: z.string(),
    /** `group/name` */
    path: z.string(),
  }),
  git: z.object({
    ref: z.string(),
    ref_type: z.enum(['branch', 'tag']),
    /** Commit the jobs check out; it exists in the sources. */
    sha: z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/),
    before_sha: z.string(),
    protected: z.boolean(),
    object_format: z.enum(['sha1', 'sha256']).default('sha1'),
    depth: z.number().int().nonnegative().default(0),
  }),
  name: z.string().default(''),
  /** Stage names in order, `.pre` first and `.post` last. */
  stages: z.array(z.string()),
  /** In order of definition. */
  jobs: z.array(submittedJobSchema).min(1),
  /** `workflow:auto_cancel:on_job_failure` */
  cancel_on_job_failure: z.boolean().default(false),
  /**
   * Names of jobs to run, with their needs where `run_needs`; empty = the whole pipeline. Others are left out.
   */
  only_jobs: z.array(z.string()).default([]),
  run_needs: z.boolean().default(false),
  /** Names of manual jobs that are played at once. */
  play: z.array(z.string()).default([]),
  /** No job is handed out before the pipeline's sources were uploaded (`POST …/pipelines/:id/sources`). */
  wait_for_sources: z.boolean().default(false),
});

export type PipelineSubmission = z.output<typeof pipelineSubmissionSchema>;
export type SubmittedJob = z.output<typeof submittedJobSchema>;
export type SubmittedVariable = z.output<typeof variableSchema>;

/** Status names of GitLab (spec local-pipeline.md §10). */
export const jobStatuses = [
  'created',
  'waiting_for_resource',
  'pending',
  'running',
  'canceling',
  'success',
  'failed',
  'canceled',
  'skipped',
  'manual',
  'scheduled',
] as const;
export type JobStatus = (typeof jobStatuses)[number];

/** One event of a pipeline as the coordinator streams it, one JSON object a line (`GET …/pipelines/:id/events`). */
export type PipelineEvent =
  | {
      readonly type: 'job';
      readonly at: string;
      /** Id of this attempt; a retry is a new job with the same name. */
      readonly id: number;
      readonly name: string;
      readonly stage: string;
      readonly status: JobStatus;
      readonly allowFailure: boolean;
      readonly failureReason?: string;
      readonly exitCode?: number;
      readonly coverage?: number;
      /** Seconds from start to end, once it has ended. */
      readonly durationSeconds?: number;
      /** 1 for the first attempt. */
      readonly attempt: number;
    }
  /** Bytes of a job's trace, base64; offsets are contiguous per job. */
  | {
      readonly type: 'trace';
      readonly id: number;
      readonly name: string;
      readonly offset: number;
      readonly data: string;
    }
  | { readonly type: 'pipeline'; readonly at: string; readonly id: number; readonly status: PipelineStatus };

export type PipelineStatus =
  | 'running'
  | 'success'
  | 'failed'
  | 'canceled'
  | 'skipped'
  | 'manual'
  | 'scheduled'
  | 'created';

/**
 * What a pipeline's jobs may fetch: `POST …/pipelines/:id/sources` as JSON, from a client on the same machine (the
 * repositories are folders there).
 */
export const sourcesManifestSchema = z.object({
  repositories: z
    .array(
      z.object({
        /** Path below the server, without `.git`. */
        path: z.string().min(1),
        /** Bare repository, absolute. */
        directory: z.string(),
        /** Folders with LFS objects (`aa/bb/<oid>` below their `objects`), first match wins. */
        lfs_stores: z.array(z.string()),
      }),
    )
    .min(1),
});

export type SourcesManifest = z.output<typeof sourcesManifestSchema>;
export type ServedRepository = SourcesManifest['repositories'][number];

/**
 * Content type of `POST …/pipelines/:id/sources` from a client on another machine: one line of JSON
 * (`sourcesUploadHeaderSchema`), then bytes. A repository is a git bundle; an LFS object follows its repository;
 * `complete` ends the upload, the jobs may start then.
 */
export const sourcesUploadType = 'application/x-millrace-sources';

const objectId = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);

export const sourcesUploadHeaderSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('repository'),
    path: z.string().min(1),
    object_format: z.enum(['sha1', 'sha256']),
    /** Commit that jobs check out. */
    sha: objectId,
    refs: z.array(z.object({ name: z.string().regex(/^refs\/[^\s\u0000-\u001f\u007f]+$/), sha: objectId })),
    /** Commits at the cut of a shallow history. */
    shallow: z.array(objectId),
  }),
  z.object({ kind: z.literal('lfs'), path: z.string().min(1), oid: z.string().regex(/^[0-9a-f]{64}$/) }),
  z.object({ kind: z.literal('complete') }),
]);

export type SourcesUploadHeader = z.output<typeof sourcesUploadHeaderSchema>;
