import * as z from 'zod';
import {
  anyTable,
  autoscalerPolicy,
  decimal,
  decimals,
  duration,
  flag,
  integer,
  text,
  textMap,
  texts,
} from './key-types.ts';
import { kubernetesKeys } from './kubernetes-keys.ts';

/** Keys of the tables that their executor or feature reads itself (spec config.md §8 to §10, §13, §14). */
const machineKeys = z.object({
  IdleCount: integer,
  IdleScaleFactor: decimal,
  IdleCountMin: integer,
  IdleTime: integer,
  MaxGrowthRate: integer,
  MaxBuilds: integer,
  MachineDriver: text,
  MachineName: text,
  MachineOptions: texts,
  MachineOptionsWithName: texts,
  MaxRemovalAttempts: integer,
  OffPeakPeriods: texts,
  OffPeakTimezone: text,
  OffPeakIdleCount: integer,
  OffPeakIdleTime: integer,
  autoscaling: z
    .array(
      z.object({
        Periods: texts,
        Timezone: text,
        IdleCount: integer,
        IdleScaleFactor: decimal,
        IdleCountMin: integer,
        IdleTime: integer,
      }),
    )
    .optional(),
});

const sshKeys = z.object({
  user: text,
  password: text,
  host: text,
  port: text,
  identity_file: text,
  disable_strict_host_key_checking: flag,
  known_hosts_file: text,
});

const parallelsKeys = z.object({
  base_name: text,
  template_name: text,
  disable_snapshots: flag,
  time_server: text,
  allowed_images: texts,
});

const virtualboxKeys = z.object({
  base_name: text,
  base_snapshot: text,
  base_folder: text,
  disable_snapshots: flag,
  allowed_images: texts,
  start_type: text,
});

const customKeys = z.object({
  config_exec: text,
  config_args: texts,
  config_exec_timeout: integer,
  prepare_exec: text,
  prepare_args: texts,
  prepare_exec_timeout: integer,
  run_exec: text,
  run_args: texts,
  cleanup_exec: text,
  cleanup_args: texts,
  cleanup_exec_timeout: integer,
  graceful_kill_timeout: integer,
  force_kill_timeout: integer,
});

const connector = z
  .object({
    os: text,
    arch: text,
    protocol: text,
    protocol_port: integer,
    username: text,
    password: text,
    key_path: text,
    use_static_credentials: flag,
    keepalive: duration,
    timeout: duration,
    use_external_addr: flag,
  })
  .optional();

const autoscalerKeys = z.object({
  capacity_per_instance: integer,
  max_use_count: integer,
  max_instances: integer,
  plugin: text,
  plugin_config: anyTable,
  connector_config: connector,
  instance_ready_command: text,
  instance_acquire_timeout: duration,
  update_interval: duration,
  update_interval_when_expecting: duration,
  deletion_retry_interval: duration,
  shutdown_deletion_interval: duration,
  shutdown_deletion_retries: integer,
  failure_threshold: integer,
  reservation_throttling: flag,
  log_internal_ip: flag,
  log_external_ip: flag,
  delete_instances_on_shutdown: flag,
  instance_operation_time_buckets: decimals,
  instance_creation_time_buckets: decimals,
  instance_is_running_time_buckets: decimals,
  instance_deletion_time_buckets: decimals,
  instance_readiness_time_buckets: decimals,
  instance_life_duration_buckets: decimals,
  scale_throttle: z.object({ limit: integer, burst: integer }).optional(),
  state_storage: z.object({ enabled: flag, dir: text, keep_instance_with_acquisitions: flag }).optional(),
  vm_isolation: z
    .object({
      enabled: flag,
      nesting_host: text,
      nesting_config: anyTable,
      image: text,
      connector_config: connector,
    })
    .optional(),
  policy: autoscalerPolicy,
});

const refereesKeys = z.object({
  metrics: z.object({ prometheus_address: text, query_interval: integer, queries: texts }).optional(),
});

const monitoringKeys = z.object({
  job_queuing_durations: z
    .array(z.object({ periods: texts, timezone: text, threshold: duration, jobs_running_for_project: text }))
    .optional(),
});

const runnerExperimentalKeys = z.object({
  boot_verify: z
    .object({ enabled: flag, timeout: duration, acquire_min_backoff: duration, acquire_max_backoff: duration })
    .optional(),
});

const usageLog = { log_dir: text, max_backup_files: integer, max_rotation_age: duration, labels: textMap };

const experimentalKeys = z.object({
  usage_logger: z
    .object({
      enabled: flag,
      writers: texts,
      ...usageLog,
      logrotate: z.object(usageLog).optional(),
      snowplow_billing: z
        .object({
          collector_uri: text,
          app_id: text,
          category: text,
          realm: text,
          deployment_type: text,
          metadata: anyTable,
          enable_oidc: flag,
          skip_oidc_if_unsupported_cloud: flag,
          skip_runner_system_failure: flag,
          batch_delivery_duration_buckets: decimals,
        })
        .optional(),
    })
    .optional(),
});

const globalMachineKeys = z.object({
  shutdown_drain: z
    .object({ enabled: flag, concurrency: integer, max_retries: integer, retry_backoff: duration })
    .optional(),
});

/** Of `[[runners]]`, by the table's name. */
export const runnerSectionKeys: Readonly<Record<string, z.ZodObject>> = {
  instance: z.object({ allowed_images: texts, use_common_build_dir: flag }),
  ssh: sshKeys,
  parallels: parallelsKeys,
  virtualbox: virtualboxKeys,
  machine: machineKeys,
  kubernetes: kubernetesKeys,
  custom: customKeys,
  autoscaler: autoscalerKeys,
  referees: refereesKeys,
  monitoring: monitoringKeys,
  experimental: runnerExperimentalKeys,
};

/** Of the top of the file. */
export const globalSectionKeys: Readonly<Record<string, z.ZodObject>> = {
  machine: globalMachineKeys,
  experimental: experimentalKeys,
};
