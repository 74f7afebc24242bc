import { toAzureSettings, toGcsSettings, toS3Settings } from './cache-settings.ts';
import type { ManagerConfig } from './manager-config.ts';
import type { RunnerConfig, TlsFiles, TokenSource } from './runner-config.ts';
import { type ConfigDocument, type RunnerDocument, rawSectionNames } from './schema.ts';

const DEFAULT_CHECK_INTERVAL_S = 3;
const DEFAULT_SHUTDOWN_TIMEOUT_S = 30;
const DEFAULT_SESSION_TIMEOUT_S = 1800;
const DEFAULT_OUTPUT_LIMIT_KIB = 4096;
const DEFAULT_UNHEALTHY_REQUESTS = 3;
const DEFAULT_FINAL_UPDATE_RETRIES = 10;

/** Zero and negative numbers that mean a default are resolved here; absent keys got theirs from the schema. */
export function toManagerConfig(
  document: ConfigDocument,
  sentryDsn: string,
  runners: readonly RunnerConfig[],
): ManagerConfig {
  const { session_server: session } = document;
  return deepFreeze({
    concurrent: document.concurrent,
    checkIntervalMs: positiveOr(document.check_interval, DEFAULT_CHECK_INTERVAL_S) * 1000,
    logLevel: document.log_level,
    logFormat: document.log_format,
    user: document.user,
    listenAddress: document.listen_address,
    sentryDsn,
    connectionMaxAgeMs: Math.max(0, document.connection_max_age),
    shutdownTimeoutMs: positiveOr(document.shutdown_timeout, DEFAULT_SHUTDOWN_TIMEOUT_S) * 1000,
    sessionServer: {
      listenAddress: session.listen_address,
      advertiseAddress: session.advertise_address,
      sessionTimeoutMs: positiveOr(session.session_timeout, DEFAULT_SESSION_TIMEOUT_S) * 1000,
    },
    sections: presentOnly({ machine: document.machine, experimental: document.experimental }),
    runners,
  });
}

export interface ResolvedRunnerParts {
  readonly url: string;
  readonly token: string;
  readonly tokenSource?: TokenSource;
  readonly systemId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly tls: TlsFiles;
}

export function toRunnerConfig(runner: RunnerDocument, resolved: ResolvedRunnerParts): RunnerConfig {
  const { cache, artifact } = runner;
  return deepFreeze({
    ...resolved,
    name: runner.name,
    id: runner.id,
    executor: runner.executor,
    shell: runner.shell,
    limit: Math.max(0, runner.limit),
    requestConcurrency: Math.max(1, runner.request_concurrency),
    strictCheckInterval: runner.strict_check_interval,
    unhealthyRequestsLimit: positiveOr(runner.unhealthy_requests_limit, DEFAULT_UNHEALTHY_REQUESTS),
    unhealthyIntervalMs: runner.unhealthy_interval,
    jobStatusFinalUpdateRetryLimit: positiveOr(
      runner.job_status_final_update_retry_limit,
      DEFAULT_FINAL_UPDATE_RETRIES,
    ),
    outputLimitBytes: positiveOr(runner.output_limit, DEFAULT_OUTPUT_LIMIT_KIB) * 1024,
    buildsDir: runner.builds_dir,
    cacheDir: runner.cache_dir,
    cloneUrl: runner.clone_url,
    environment: runner.environment,
    preGetSourcesScript: runner.pre_get_sources_script,
    postGetSourcesScript: runner.post_get_sources_script,
    preBuildScript: runner.pre_build_script,
    postBuildScript: runner.post_build_script,
    prepareTimeoutMs: runner.prepare_timeout,
    getSourcesTimeoutMs: runner.get_sources_timeout,
    debugTraceDisabled: runner.debug_trace_disabled,
    safeDirectoryCheckout: runner.safe_directory_checkout,
    cleanGitConfig: runner.clean_git_config,
    customBuildDirEnabled: runner.custom_build_dir?.enabled,
    featureFlags: runner.feature_flags,
    artifact: {
      uploadTimeoutMs: artifact.upload_timeout,
      responseHeaderTimeoutMs: artifact.response_header_timeout,
    },
    cache: {
      type: cache.Type,
      path: cache.Path,
      shared: cache.Shared,
      maxUploadedArchiveSize: cache.MaxUploadedArchiveSize,
      s3: cache.s3 === undefined ? undefined : toS3Settings(cache.s3),
      gcs: cache.gcs === undefined ? undefined : toGcsSettings(cache.gcs),
      azure: cache.azure === undefined ? undefined : toAzureSettings(cache.azure),
    },
    tokenObtainedAt: runner.token_obtained_at,
    tokenExpiresAt: expiryOf(runner.token_expires_at),
    proxyExec: runner.proxy_exec,
    docker: runner.docker,
    sections: sectionsOf(runner),
    embedded: {},
  });
}

/** The zero time of older files means that the token never expires. */
function expiryOf(date: Date | undefined): Date | undefined {
  return date === undefined || date.getUTCFullYear() <= 1 ? undefined : date;
}

function sectionsOf(runner: RunnerDocument): Readonly<Record<string, unknown>> {
  const own = Object.fromEntries(rawSectionNames.map((name) => [name, runner[name]]));
  return presentOnly({
    ...own,
    docker: runner.docker,
    slot_cgroups: runner.use_slot_cgroups ? { template: runner.slot_cgroup_template } : undefined,
  });
}

function presentOnly(entries: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}

function positiveOr(value: number, fallback: number): number {
  return value > 0 ? value : fallback;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (value instanceof Date) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
