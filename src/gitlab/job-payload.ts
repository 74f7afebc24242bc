import * as z from 'zod';

/**
 * The answer of `POST jobs/request` (spec protocol.md §4).
 * Missing and `null` mean the zero value; unknown keys are ignored; a wrong type makes the payload unusable.
 */
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const integer = z
  .number()
  .int()
  .nullish()
  .transform((value) => value ?? 0);
const number = z
  .number()
  .nullish()
  .transform((value) => value ?? 0);
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);

function list<T extends z.ZodType>(item: T) {
  return z
    .array(item)
    .nullish()
    .transform((value) => value ?? []);
}

/** An object whose absence means all its zero values. */
function record<T extends z.ZodRawShape>(shape: T) {
  const schema = z.object(shape);
  return z.preprocess((value) => value ?? {}, schema);
}

const variableSchema = z.object({ key: text, value: text, public: flag, file: flag, masked: flag, raw: flag });

const stepSchema = z.object({
  name: text,
  script: list(z.string()),
  timeout: integer,
  when: text,
  allow_failure: flag,
});

const portSchema = z.object({ number: integer, protocol: text, name: text });

const imageShape = {
  name: text,
  alias: text,
  command: list(z.string()),
  entrypoint: list(z.string()),
  ports: list(portSchema),
  variables: list(variableSchema),
  pull_policy: list(z.string()),
  /** Unknown members fail the job at pick-up, not the decoding (§4.7). */
  executor_opts: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((value) => value ?? {}),
};

const artifactSchema = z.object({
  name: text,
  untracked: flag,
  paths: list(z.string()),
  exclude: list(z.string()),
  when: text,
  artifact_type: text,
  artifact_format: text,
  expire_in: text,
});

const cacheSchema = z.object({
  key: text,
  untracked: flag,
  policy: text,
  paths: list(z.string()),
  when: text,
  fallback_keys: list(z.string()),
});

const dependencySchema = z.object({
  id: integer,
  token: text,
  name: text,
  artifacts_file: record({ filename: text, size: integer }),
});

const inputSchema = z.object({
  key: text,
  value: z.object({ type: text, content: z.unknown().optional(), sensitive: flag }),
});

export const jobPayloadSchema = z.object({
  id: integer,
  token: text,
  allow_git_fetch: flag,
  job_info: record({
    name: text,
    stage: text,
    pipeline_id: integer,
    project_id: integer,
    project_name: text,
    project_full_path: text,
    namespace_id: integer,
    root_namespace_id: integer,
    organization_id: integer,
    instance_id: text,
    instance_uuid: text,
    user_id: integer,
    scoped_user_id: z.number().int().nullish(),
    time_in_queue_seconds: number,
    project_jobs_running_on_instance_runners_count: text,
    queue_size: integer,
    queue_depth: integer,
  }),
  git_info: record({
    repo_url: text,
    repo_object_format: text,
    ref: text,
    sha: text,
    before_sha: text,
    ref_type: text,
    refspecs: list(z.string()),
    depth: integer,
    protected: z.boolean().nullish(),
  }),
  runner_info: record({ timeout: integer, uuid: text }),
  inputs: list(inputSchema),
  variables: list(variableSchema),
  steps: list(stepSchema),
  image: record(imageShape),
  services: list(z.object(imageShape)),
  artifacts: list(artifactSchema),
  cache: list(cacheSchema),
  credentials: list(z.object({ type: text, url: text, username: text, password: text })),
  dependencies: list(dependencySchema),
  features: record({
    trace_sections: flag,
    token_mask_prefixes: list(z.string()),
    failure_reasons: list(z.string()),
    tracing: z.unknown().optional(),
  }),
  secrets: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((value) => value ?? {}),
  hooks: list(z.object({ name: text, script: list(z.string()) })),
  /** A JSON text; `null` and the empty text are decode errors upstream, here they mean no native steps. */
  run: text,
  policy_options: record({
    execution_policy_job: flag,
    policy_name: text,
    policy_variables_override_allowed: z.boolean().nullish(),
    policy_variables_override_exceptions: list(z.string()),
  }),
  suspend_options: record({
    suspend_on_success: flag,
    suspend_on_failure: flag,
    runtime_environment_key: text,
  }),
});

/** A job as GitLab hands it out, every absent member filled with its zero value. */
export type JobPayload = z.output<typeof jobPayloadSchema>;
export type PayloadStep = z.output<typeof stepSchema>;
export type PayloadImage = JobPayload['image'];
export type PayloadArtifact = z.output<typeof artifactSchema>;
export type PayloadCache = z.output<typeof cacheSchema>;
