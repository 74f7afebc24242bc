import * as z from 'zod';
import { innerSchema } from '../../config/document-problems.ts';
import { fullRunnerSchema } from '../../config/sections/full-schema.ts';
import { TomlFloat } from '../../config/toml-document.ts';

export type RunnerOptionKind =
  | 'text'
  | 'flag'
  | 'integer'
  | 'decimal'
  | 'duration'
  | 'list'
  | 'integers'
  | 'map'
  | 'json';

/** An option of `register` that sets a key of the new `[[runners]]` entry. */
export interface RunnerOption {
  /** Names of tables and key, below `[[runners]]`. */
  readonly path: readonly string[];
  /** Without dashes; the first one is the name, the others mean the same. */
  readonly flags: readonly string[];
  /** Undefined: no variable sets it. */
  readonly variable: string | undefined;
  readonly kind: RunnerOptionKind;
  /** What the values of a map are. */
  readonly valueKind: 'text' | 'flag' | 'integer' | 'list';
  readonly description: string;
}

/** Keys and tables that no option sets (spec config.md §16). */
const withoutOption = new Set([
  'labels',
  'id',
  'token_file',
  'token_obtained_at',
  'token_expires_at',
  'artifact',
  'instance',
  'referees',
  'monitoring',
  'experimental',
  'autoscaler',
  'docker.services',
  'docker.disk_care',
  'kubernetes.volumes',
  'kubernetes.affinity',
  'kubernetes.pod_spec',
  'kubernetes.container_lifecycle',
  'kubernetes.dns_config',
  'kubernetes.services',
  'kubernetes.autoscaler',
  'machine.autoscaling',
  'machine.OffPeakPeriods',
  'machine.OffPeakTimezone',
  'machine.OffPeakIdleCount',
  'machine.OffPeakIdleTime',
]);

/** Options whose names keep the underscores of their keys. */
const flagWithUnderscores = new Set([
  'docker.allowed_users',
  'docker.service_gpus',
  'docker.services_devices',
  'docker.services_privileged',
  'kubernetes.bearer_token',
  'kubernetes.bearer_token_overwrite_allowed',
  'kubernetes.namespace_per_job',
  'kubernetes.cleanup_grace_period_seconds',
  'kubernetes.cleanup_resources_timeout',
  'kubernetes.host_aliases',
  'kubernetes.namespace_overwrite_allowed',
  'kubernetes.node_selector_overwrite_allowed',
  'kubernetes.node_tolerations_overwrite_allowed',
  'kubernetes.pod_annotations_overwrite_allowed',
  'kubernetes.pod_labels_overwrite_allowed',
  'kubernetes.pod_termination_grace_period_seconds',
  'kubernetes.priority_class_name',
  'kubernetes.service_account_overwrite_allowed',
  'cache.MaxUploadedArchiveSize',
  'cache.s3.AuthenticationType',
  'custom_build_dir.enabled',
]);

const ownFlags: Readonly<Record<string, readonly string[]>> = {
  name: ['name', 'description'],
  environment: ['env'],
  'docker.tls_cert_path': ['docker-cert-path'],
  'docker.tls_verify': ['docker-tlsverify'],
  'docker.userns_mode': ['docker-userns'],
  'machine.IdleCount': ['machine-idle-nodes'],
};

const ownVariables: Readonly<Record<string, string | undefined>> = {
  url: 'CI_SERVER_URL',
  token: 'CI_SERVER_TOKEN',
  'tls-ca-file': 'CI_SERVER_TLS_CA_FILE',
  'tls-cert-file': 'CI_SERVER_TLS_CERT_FILE',
  'tls-key-file': 'CI_SERVER_TLS_KEY_FILE',
  environment: 'RUNNER_ENV',
  clone_url: 'CLONE_URL',
  feature_flags: 'FEATURE_FLAGS',
  step_runner_image: 'STEP_RUNNER_IMAGE',
  job_status_final_update_retry_limit: 'RUNNER_job_status_final_update_retry_limit',
  unhealthy_interval: undefined,
  'cache.MaxUploadedArchiveSize': 'CACHE_MAXIMUM_UPLOADED_ARCHIVE_SIZE',
  'cache.gcs.CredentialsFile': 'GOOGLE_APPLICATION_CREDENTIALS',
  'custom.config_args': undefined,
  'custom.prepare_args': undefined,
  'custom.run_args': undefined,
  'custom.cleanup_args': undefined,
  'docker.container_labels': undefined,
  'docker.enable_ipv6': undefined,
  'docker.network_mtu': undefined,
  'docker.ipcmode': 'DOCKER_IPC_MODE',
  'docker.tls_cert_path': 'DOCKER_CERT_PATH',
  'kubernetes.context': 'KUBECTL_CONTEXT',
  'kubernetes.host_aliases': undefined,
  'kubernetes.pod_annotations': undefined,
  'kubernetes.pod_labels': undefined,
  'kubernetes.retry_backoff_max': 'KUBERNETES_REQUEST_RETRY_BACKOFF_MAX',
  'kubernetes.retry_limit': 'KUBERNETES_REQUEST_RETRY_LIMIT',
  'machine.MachineDriver': 'MACHINE_DRIVER',
  'machine.MachineName': 'MACHINE_NAME',
  'machine.MachineOptions': 'MACHINE_OPTIONS',
  'machine.MachineOptionsWithName': 'MACHINE_OPTIONS_WITH_NAME',
  'ssh.disable_strict_host_key_checking': 'DISABLE_STRICT_HOST_KEY_CHECKING',
  'ssh.known_hosts_file': 'KNOWN_HOSTS_FILE',
};

/** Every option of `register` for a key of `[[runners]]`, made from the schema of config.toml. */
export function runnerOptions(): readonly RunnerOption[] {
  return optionsOf(fullRunnerSchema, []);
}

function optionsOf(table: z.ZodObject, above: readonly string[]): readonly RunnerOption[] {
  return Object.entries(table.shape).flatMap(([name, schema]): readonly RunnerOption[] => {
    const path = [...above, name];
    if (withoutOption.has(path.join('.'))) return [];
    const inner = innerSchema(schema);
    if (inner instanceof z.ZodObject) {
      const isProfile = name === 'seccomp_profile' || name === 'app_armor_profile';
      return isProfile ? [] : optionsOf(inner, path);
    }
    return [optionOf(path, inner, descriptionOf(schema))];
  });
}

function optionOf(path: readonly string[], schema: z.core.$ZodType, description: string): RunnerOption {
  const key = path.join('.');
  const words = path.map(snakeCase).join('-');
  const plain = flagWithUnderscores.has(key) ? words : keepsStorage(key, words.replaceAll('_', '-'));
  return {
    path,
    flags: ownFlags[key] ?? [plain],
    variable: key in ownVariables ? ownVariables[key] : variableOf(path),
    kind: kindOf(schema),
    valueKind: schema instanceof z.ZodRecord ? valueKindOf(innerSchema(schema.valueType)) : 'text',
    description,
  };
}

/** `ephemeral_storage` is one word in the options of helper and services. */
function keepsStorage(key: string, flag: string): string {
  return /^kubernetes\.(helper|service)_/.test(key) ? flag.replace('ephemeral-storage', 'ephemeral_storage') : flag;
}

function variableOf(path: readonly string[]): string {
  const words = path.length === 1 ? ['runner', ...path] : path;
  return words
    .map((word) => snakeCase(word).replaceAll('-', '_'))
    .join('_')
    .toUpperCase();
}

function snakeCase(name: string): string {
  return name
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_')
    .replace(/(?<=[A-Z])(?=[A-Z][a-z])/g, '_')
    .toLowerCase();
}

function kindOf(schema: z.core.$ZodType): RunnerOptionKind {
  if (schema instanceof z.ZodBoolean) return 'flag';
  if (schema instanceof z.ZodNumber) return 'integer';
  if (schema instanceof z.ZodRecord) return 'map';
  if (schema instanceof z.ZodArray) return listKindOf(innerSchema(schema.element));
  if (!(schema instanceof z.ZodUnion)) return 'text';
  const members = schema.options.map(innerSchema);
  if (members.some((member) => member instanceof z.ZodArray)) return 'list';
  return members.some((member) => member instanceof z.ZodString) ? 'duration' : 'decimal';
}

function listKindOf(element: z.core.$ZodType): RunnerOptionKind {
  if (element instanceof z.ZodObject) return 'json';
  return element instanceof z.ZodNumber ? 'integers' : 'list';
}

function valueKindOf(schema: z.core.$ZodType): RunnerOption['valueKind'] {
  if (schema instanceof z.ZodBoolean) return 'flag';
  if (schema instanceof z.ZodNumber) return 'integer';
  return schema instanceof z.ZodArray ? 'list' : 'text';
}

function descriptionOf(schema: z.core.$ZodType): string {
  const text = schema instanceof z.ZodType ? (schema.description ?? '') : '';
  return text.replaceAll('`', '');
}

/** Marks a number of a key that takes fractions. */
export function decimalValue(value: number): TomlFloat {
  return new TomlFloat(value);
}
