import * as z from 'zod';
import { parseGoDuration } from '../lib/go-duration.ts';
import { cacheAzureSchema, cacheGcsSchema, cacheS3Schema } from './cache-schema.ts';
import { dockerSchema } from './docker-schema.ts';
import { withoutFloatMarks } from './toml-document.ts';

/**
 * config.toml (spec config.md §12 to §15): names, types and defaults. Tables of executors and services that read their
 * own settings are kept as they are.
 */
const integer = z.number();
const text = z.string();

/** Text in Go syntax, or an integer of nanoseconds; milliseconds after parsing. */
const duration = z.union([z.string(), z.number()]).transform((value, context) => {
  const milliseconds = typeof value === 'number' ? value / 1e6 : parseGoDuration(value);
  if (milliseconds !== undefined) return milliseconds;
  context.addIssue({
    code: 'custom',
    message: `${JSON.stringify(value)} is not a duration; write it like "1h30m" or "90s"`,
  });
  return z.NEVER;
});

const section = z
  .record(z.string(), z.unknown())
  .transform((table) => withoutFloatMarks(table) as Readonly<Record<string, unknown>>)
  .optional();
const labels = z.record(z.string(), z.string()).default({});

const cacheSchema = z.object({
  Type: text.default('').describe('`s3`, `gcs` or `azure`: caches are kept there too; empty = only locally.'),
  Path: text.default('').describe('Prefix of the names of caches in the store.'),
  Shared: z.boolean().default(false).describe('Runners share caches: their names do not hold the runner.'),
  MaxUploadedArchiveSize: integer.default(0).describe('Largest archive that is uploaded, in bytes; 0 = any.'),
  s3: cacheS3Schema.optional(),
  gcs: cacheGcsSchema.optional(),
  azure: cacheAzureSchema.optional(),
});

const artifactSchema = z.object({
  upload_timeout: duration.default(3_600_000).describe('Longest time for an upload; default 1 hour.'),
  response_header_timeout: duration
    .default(600_000)
    .describe('Longest wait for the answer to an upload; default 10 minutes.'),
});

/** Tables of `[[runners]]` that their executor or feature reads itself. */
export const rawSectionNames = [
  'instance',
  'ssh',
  'parallels',
  'virtualbox',
  'machine',
  'kubernetes',
  'custom',
  'autoscaler',
  'referees',
  'monitoring',
  'experimental',
] as const;

const rawSections = Object.fromEntries(
  rawSectionNames.map((name) => [name, section.describe('Read and kept; no effect in this version.')]),
) as Record<(typeof rawSectionNames)[number], typeof section>;

export const runnerSchema = z.object({
  name: text.default('').describe('Description; stands in logs.'),
  limit: integer.default(0).describe('Jobs of this runner at the same time; 0 = only `concurrent` counts.'),
  output_limit: integer.default(0).describe('Longest job log, in KiB; 0 = 4096.'),
  request_concurrency: integer.default(0).describe('Most requests for jobs at the same time; 0 = 1.'),
  strict_check_interval: z.boolean().default(false).describe('Wait `check_interval` also after a job was received.'),
  unhealthy_requests_limit: integer
    .default(0)
    .describe('Failed requests in a row after which the runner pauses; 0 = 3.'),
  unhealthy_interval: duration.default(3_600_000).describe('How long it pauses; default 1 hour.'),
  job_status_final_update_retry_limit: integer.default(0).describe('Tries to report the end of a job; 0 = 10.'),
  url: text.default('').describe('Address of GitLab. `$NAME` is taken from the environment.'),
  id: integer.default(0).describe('Number of the runner in GitLab.'),
  token: text
    .default('')
    .describe('Token of the runner (`glrt-…`). `$NAME` is taken from the environment. An entry without is not served.'),
  token_file: text
    .default('')
    .describe('File that holds the token, instead of `token`; relative to the config file. Only the manager reads it.'),
  token_obtained_at: z.date().optional().describe('When the token was given.'),
  token_expires_at: z.date().optional().describe('When it stops working; it is not renewed in this version.'),
  'tls-ca-file': text
    .default('')
    .describe('Authority of GitLab’s certificate (PEM), beside those of the system; jobs get it too.'),
  'tls-cert-file': text.default('').describe('Client certificate (PEM).'),
  'tls-key-file': text.default('').describe('Its key (PEM).'),
  labels: labels.describe('Labels of this runner; they go before the global ones.'),
  executor: text
    .default('')
    .describe('How jobs run: `shell` in this version. An unknown one is reported when the runner would ask for jobs.'),
  builds_dir: text.default('').describe('Where projects are checked out; empty = `builds` in the working directory.'),
  cache_dir: text.default('').describe('Where caches are kept; empty = `cache` in the working directory.'),
  clone_url: text.default('').describe('Address to fetch sources from, instead of the one that GitLab names.'),
  environment: z.array(z.string()).default([]).describe('`NAME=VALUE` for every job, feature flags too.'),
  proxy_exec: z.boolean().default(false).describe('No effect in this version.'),
  pre_get_sources_script: text.default('').describe('Commands before the sources are fetched.'),
  post_get_sources_script: text.default('').describe('Commands after the sources are fetched.'),
  pre_build_script: text.default('').describe('Commands before `before_script`, in the same shell.'),
  post_build_script: text.default('').describe('Commands after `script`, in the same shell.'),
  prepare_timeout: duration
    .optional()
    .describe('Longest time for preparing the environment; absent = the time of the job.'),
  get_sources_timeout: duration
    .optional()
    .describe('Longest time for fetching the sources; absent = the time of the job.'),
  debug_trace_disabled: z
    .boolean()
    .default(false)
    .describe('Jobs may not switch on `CI_DEBUG_TRACE`, which shows secrets.'),
  safe_directory_checkout: z
    .boolean()
    .optional()
    .describe('Write a git `safe.directory` entry for the project; absent = as the executor needs it (shell: no).'),
  clean_git_config: z
    .boolean()
    .optional()
    .describe(
      'Remove git’s configuration and hooks before and after a job; absent = yes, but not with the shell executor or without sources.',
    ),
  shell: text.default('').describe('`bash`, `sh`, `pwsh` or `powershell`; empty = what the system has.'),
  custom_build_dir: z
    .object({
      enabled: z
        .boolean()
        .optional()
        .describe('Jobs may choose their folder with `GIT_CLONE_PATH`; absent = as the executor has it (shell: no).'),
    })
    .optional(),
  cache: cacheSchema.prefault({}),
  artifact: artifactSchema.prefault({}),
  feature_flags: z
    .record(z.string(), z.boolean())
    .default({})
    .describe('Feature flag → on or off; goes before variables of the job. See [feature flags](feature-flags.md).'),
  use_slot_cgroups: z.boolean().default(false).describe('No effect in this version.'),
  slot_cgroup_template: text.default('').describe('No effect in this version.'),
  step_runner_image: text.default('').describe('No effect.'),
  docker: dockerSchema.optional(),
  ...rawSections,
});

export const configSchema = z.object({
  concurrent: integer.default(1).describe('Jobs that run at the same time, over all runners.'),
  check_interval: integer.default(0).describe('Seconds between two requests for jobs of one runner; 0 = 3.'),
  log_level: text
    .optional()
    .describe(
      '`panic`, `fatal`, `error`, `warning`, `info` (used when absent), `debug` or `trace`. The options of the command line and `LOG_LEVEL` go first.',
    ),
  log_format: text
    .optional()
    .describe('`runner` (used when absent), `text` or `json`. `--log-format` and `LOG_FORMAT` go first.'),
  user: text.default('').describe('Account that runs the scripts of the shell executor; `--user` goes first.'),
  listen_address: text.default('').describe('Address of the metrics server; no effect in this version.'),
  sentry_dsn: text.optional().describe('No effect in this version.'),
  connection_max_age: duration
    .default(900_000)
    .describe('Idle connections to GitLab are closed at this age; default 15 minutes, 0 = never.'),
  shutdown_timeout: integer
    .default(0)
    .describe('Seconds that aborted jobs have to end when the manager is stopped; 0 = 30.'),
  labels: labels.describe('Labels of all runners.'),
  session_server: z
    .object({
      listen_address: text.default('').describe('No effect in this version.'),
      advertise_address: text.default('').describe('No effect in this version.'),
      session_timeout: integer.default(1800).describe('No effect in this version.'),
    })
    .prefault({}),
  machine: section.describe('Read and kept; no effect in this version.'),
  experimental: section.describe('Read and kept; no effect in this version.'),
  runners: z.array(runnerSchema).default([]),
});

export type ConfigDocument = z.output<typeof configSchema>;
export type RunnerDocument = z.output<typeof runnerSchema>;
