import * as z from 'zod';
import { parseGoDuration } from '../lib/go-duration.ts';
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
  Type: text.default(''),
  Path: text.default(''),
  Shared: z.boolean().default(false),
  MaxUploadedArchiveSize: integer.default(0),
  s3: section,
  gcs: section,
  azure: section,
});

const artifactSchema = z.object({
  upload_timeout: duration.default(3_600_000),
  response_header_timeout: duration.default(600_000),
});

/** Tables of `[[runners]]` that their executor or feature reads itself. */
export const rawSectionNames = [
  'instance',
  'ssh',
  'docker',
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

const rawSections = Object.fromEntries(rawSectionNames.map((name) => [name, section])) as Record<
  (typeof rawSectionNames)[number],
  typeof section
>;

export const runnerSchema = z.object({
  name: text.default(''),
  limit: integer.default(0),
  output_limit: integer.default(0),
  request_concurrency: integer.default(0),
  strict_check_interval: z.boolean().default(false),
  unhealthy_requests_limit: integer.default(0),
  unhealthy_interval: duration.default(3_600_000),
  job_status_final_update_retry_limit: integer.default(0),
  url: text.default(''),
  id: integer.default(0),
  token: text.default(''),
  token_obtained_at: z.date().optional(),
  token_expires_at: z.date().optional(),
  'tls-ca-file': text.default(''),
  'tls-cert-file': text.default(''),
  'tls-key-file': text.default(''),
  labels,
  executor: text.default(''),
  builds_dir: text.default(''),
  cache_dir: text.default(''),
  clone_url: text.default(''),
  environment: z.array(z.string()).default([]),
  proxy_exec: z.boolean().default(false),
  pre_get_sources_script: text.default(''),
  post_get_sources_script: text.default(''),
  pre_build_script: text.default(''),
  post_build_script: text.default(''),
  prepare_timeout: duration.optional(),
  get_sources_timeout: duration.optional(),
  debug_trace_disabled: z.boolean().default(false),
  safe_directory_checkout: z.boolean().optional(),
  clean_git_config: z.boolean().optional(),
  shell: text.default(''),
  custom_build_dir: z.object({ enabled: z.boolean().optional() }).optional(),
  cache: cacheSchema.prefault({}),
  artifact: artifactSchema.prefault({}),
  feature_flags: z.record(z.string(), z.boolean()).default({}),
  use_slot_cgroups: z.boolean().default(false),
  slot_cgroup_template: text.default(''),
  step_runner_image: text.default(''),
  ...rawSections,
});

export const configSchema = z.object({
  concurrent: integer.default(1),
  check_interval: integer.default(0),
  log_level: text.optional(),
  log_format: text.optional(),
  user: text.default(''),
  listen_address: text.default(''),
  sentry_dsn: text.optional(),
  connection_max_age: duration.default(900_000),
  shutdown_timeout: integer.default(0),
  labels,
  session_server: z
    .object({
      listen_address: text.default(''),
      advertise_address: text.default(''),
      session_timeout: integer.default(1800),
    })
    .prefault({}),
  machine: section,
  experimental: section,
  runners: z.array(runnerSchema).default([]),
});

export type ConfigDocument = z.output<typeof configSchema>;
export type RunnerDocument = z.output<typeof runnerSchema>;
