import { parseBoolean } from './parse-boolean.ts';

/**
 * Where a flag may be set: `job` = config.toml or a variable; `runner` = config.toml only, read without a job;
 * `helper` = as `job`, read by helper commands from their environment.
 */
export type FeatureFlagScope = 'job' | 'runner' | 'helper';

export interface FeatureFlag {
  readonly name: string;
  readonly default: boolean;
  readonly deprecated: boolean;
  readonly scope: FeatureFlagScope;
}

function flag(name: string, scope: FeatureFlagScope, isOn = false, deprecated = false): FeatureFlag {
  return { name, default: isOn, deprecated, scope };
}

/** Every feature flag, in the order in which jobs see them (spec job-execution.md §16). */
export const featureFlags: readonly FeatureFlag[] = [
  flag('FF_TEST_FEATURE', 'job', false, true),
  flag('FF_NETWORK_PER_BUILD', 'job'),
  flag('FF_USE_LEGACY_KUBERNETES_EXECUTION_STRATEGY', 'job'),
  flag('FF_USE_DIRECT_DOWNLOAD', 'helper', true),
  flag('FF_USE_FASTZIP', 'helper', true, true),
  flag('FF_DISABLE_UMASK_FOR_DOCKER_EXECUTOR', 'job'),
  flag('FF_ENABLE_BASH_EXIT_CODE_CHECK', 'job'),
  flag('FF_USE_WINDOWS_LEGACY_PROCESS_STRATEGY', 'job'),
  flag('FF_USE_LEGACY_BASH_EVAL', 'job'),
  flag('FF_USE_POWERSHELL_PATH_RESOLVER', 'job'),
  flag('FF_USE_DYNAMIC_TRACE_FORCE_SEND_INTERVAL', 'runner'),
  flag('FF_SCRIPT_SECTIONS', 'job'),
  flag('FF_ENABLE_JOB_CLEANUP', 'job'),
  flag('FF_KUBERNETES_HONOR_ENTRYPOINT', 'job'),
  flag('FF_POSIXLY_CORRECT_ESCAPES', 'job'),
  flag('FF_RESOLVE_FULL_TLS_CHAIN', 'runner'),
  flag('FF_DISABLE_POWERSHELL_STDIN', 'job'),
  flag('FF_USE_POD_ACTIVE_DEADLINE_SECONDS', 'job', true),
  flag('FF_USE_ADVANCED_POD_SPEC_CONFIGURATION', 'job'),
  flag('FF_SECRET_RESOLVING_FAILS_IF_MISSING', 'job', true),
  flag('FF_PRINT_POD_EVENTS', 'job'),
  flag('FF_USE_GIT_BUNDLE_URIS', 'job', true),
  flag('FF_USE_GIT_NATIVE_CLONE', 'job'),
  flag('FF_USE_DUMB_INIT_WITH_KUBERNETES_EXECUTOR', 'job'),
  flag('FF_USE_INIT_WITH_DOCKER_EXECUTOR', 'job'),
  flag('FF_LOG_IMAGES_CONFIGURED_FOR_JOB', 'job'),
  flag('FF_USE_DOCKER_AUTOSCALER_DIAL_STDIO', 'job', true),
  flag('FF_CLEAN_UP_FAILED_CACHE_EXTRACT', 'job'),
  flag('FF_USE_WINDOWS_JOB_OBJECT', 'job'),
  flag('FF_TIMESTAMPS', 'job', true),
  flag('FF_DISABLE_AUTOMATIC_TOKEN_ROTATION', 'runner'),
  flag('FF_USE_LEGACY_GCS_CACHE_ADAPTER', 'job'),
  flag('FF_DISABLE_UMASK_FOR_KUBERNETES_EXECUTOR', 'job'),
  flag('FF_USE_LEGACY_S3_CACHE_ADAPTER', 'job'),
  flag('FF_GIT_URLS_WITHOUT_TOKENS', 'job'),
  flag('FF_WAIT_FOR_POD_TO_BE_REACHABLE', 'job'),
  flag('FF_MASK_ALL_DEFAULT_TOKENS', 'job', true),
  flag('FF_EXPORT_HIGH_CARDINALITY_METRICS', 'runner'),
  flag('FF_USE_FLEETING_ACQUIRE_HEARTBEATS', 'runner'),
  flag('FF_USE_EXPONENTIAL_BACKOFF_STAGE_RETRY', 'job', true),
  flag('FF_USE_ADAPTIVE_REQUEST_CONCURRENCY', 'runner', true),
  flag('FF_USE_GITALY_CORRELATION_ID', 'job', true),
  flag('FF_USE_GIT_PROACTIVE_AUTH', 'job'),
  flag('FF_HASH_CACHE_KEYS', 'job'),
  flag('FF_ENABLE_JOB_INPUTS_INTERPOLATION', 'job', true),
  flag('FF_USE_JOB_ROUTER', 'runner'),
  flag('FF_SCRIPT_TO_STEP_MIGRATION', 'job'),
  flag('FF_USE_PARALLEL_CACHE_TRANSFER', 'helper', true),
  flag('FF_USE_PARALLEL_ARTIFACT_TRANSFER', 'helper'),
  flag('FF_CONCRETE', 'job'),
  flag('FF_SUSPENDABLE_ENVIRONMENTS', 'job'),
  flag('FF_USE_NATIVE_CONTAINER_STOP', 'job'),
];

const byName: ReadonlyMap<string, FeatureFlag> = new Map(featureFlags.map((entry) => [entry.name, entry]));

export function isFeatureFlagName(name: string): boolean {
  return byName.has(name);
}

export interface ResolvedFeatureFlags {
  /** Every flag, in table order. */
  readonly values: Readonly<Record<string, boolean>>;
  /** `FF_A:true` for each one that differs from its default. */
  readonly changed: readonly string[];
  readonly problems: readonly string[];
}

/**
 * Resolves every flag: config.toml, else the variable of that name, else the default.
 * @param configured `[runners.feature_flags]`; unknown names are ignored.
 * @param variables the job's variables that may set flags, a later one wins.
 */
export function resolveFeatureFlags(
  configured: Readonly<Record<string, boolean>>,
  variables: readonly { readonly key: string; readonly value: string }[],
): ResolvedFeatureFlags {
  const texts = new Map(variables.map(({ key, value }) => [key, value]));
  const values: Record<string, boolean> = {};
  const changed: string[] = [];
  const problems: string[] = [];
  for (const entry of featureFlags) {
    const text = entry.scope === 'runner' ? '' : (texts.get(entry.name) ?? '');
    const fromVariable = text === '' ? undefined : parseBoolean(text);
    const fromConfig = configured[entry.name];
    if (text !== '' && fromVariable === undefined && fromConfig === undefined) {
      problems.push(`${entry.name}: could not parse feature flag, expected bool, got ${text}`);
    }
    const value = fromConfig ?? fromVariable ?? entry.default;
    values[entry.name] = value;
    if (value !== entry.default) changed.push(`${entry.name}:${value}`);
  }
  return { values, changed, problems };
}
