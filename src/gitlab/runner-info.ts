import { compatibility, type HostPlatform } from './compatibility.ts';

/** Every feature GitLab knows of a runner, in the order they are sent (spec protocol.md §3.1). */
export const featureNames = [
  'variables',
  'image',
  'services',
  'artifacts',
  'cache',
  'fallback_cache_keys',
  'shared',
  'upload_multiple_artifacts',
  'upload_raw_artifacts',
  'session',
  'terminal',
  'refspecs',
  'masking',
  'proxy',
  'raw_variables',
  'artifacts_exclude',
  'multi_build_steps',
  'trace_reset',
  'trace_checksum',
  'trace_size',
  'vault_secrets',
  'cancelable',
  'return_exit_code',
  'service_variables',
  'service_multiple_aliases',
  'image_executor_opts',
  'service_executor_opts',
  'cancel_gracefully',
  'native_steps_integration',
  'two_phase_job_commit',
  'job_inputs',
] as const;

export type RunnerFeature = (typeof featureNames)[number];

const OF_THE_NETWORK_LAYER: readonly RunnerFeature[] = [
  'trace_reset',
  'trace_checksum',
  'trace_size',
  'cancelable',
  'cancel_gracefully',
  'two_phase_job_commit',
  'job_inputs',
];

const OF_A_SHELL: readonly RunnerFeature[] = [
  'artifacts',
  'upload_multiple_artifacts',
  'upload_raw_artifacts',
  'cache',
  'fallback_cache_keys',
  'refspecs',
  'masking',
  'raw_variables',
  'artifacts_exclude',
  'multi_build_steps',
  'vault_secrets',
  'return_exit_code',
];

const KNOWN_SHELLS = ['bash', 'sh', 'pwsh', 'powershell'];

/** The `info` object of requests (spec protocol.md §3). */
export interface RunnerInfo {
  readonly name: string;
  readonly version: string;
  readonly revision: string;
  readonly platform: string;
  readonly architecture: string;
  readonly executor?: string;
  readonly shell?: string;
  readonly features: Readonly<Record<RunnerFeature, boolean>>;
  readonly config: { readonly gpus: string };
  readonly labels?: Readonly<Record<string, string>>;
}

export interface RunnerDescription {
  readonly host: HostPlatform;
  /** Absent while registering: no executor is chosen yet. */
  readonly executor?: {
    readonly name: string;
    readonly shell: string;
    readonly features: readonly RunnerFeature[];
    readonly gpus?: string;
  };
  readonly labels?: Readonly<Record<string, string>>;
}

export function runnerInfo(description: RunnerDescription): RunnerInfo {
  const { host, executor, labels = {} } = description;
  const enabled = new Set<RunnerFeature>([...OF_THE_NETWORK_LAYER, ...(executor?.features ?? [])]);
  if (executor !== undefined && KNOWN_SHELLS.includes(executor.shell)) {
    for (const feature of OF_A_SHELL) enabled.add(feature);
  }
  return {
    name: compatibility.name,
    version: compatibility.version,
    revision: compatibility.revision,
    platform: host.platform,
    architecture: host.architecture,
    ...(executor === undefined || executor.name === '' ? {} : { executor: executor.name }),
    ...(executor === undefined || executor.shell === '' ? {} : { shell: executor.shell }),
    features: featureSwitches(enabled),
    config: { gpus: executor?.gpus?.trim() ?? '' },
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
  };
}

function featureSwitches(enabled: ReadonlySet<RunnerFeature>): Readonly<Record<RunnerFeature, boolean>> {
  return Object.fromEntries(featureNames.map((name) => [name, enabled.has(name)])) as Record<RunnerFeature, boolean>;
}
