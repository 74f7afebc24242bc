import * as z from 'zod';
import { anyTable, autoscalerPolicy, duration, flag, integer, text, textMap, textOrTexts, texts } from './key-types.ts';

/** Keys of `[runners.kubernetes]` (spec config.md §11). */
const profile = z.object({ type: text, localhost_profile: text }).optional();

const podSecurityContext = z
  .object({
    fs_group: integer,
    run_as_group: integer,
    run_as_non_root: flag,
    run_as_user: integer,
    supplemental_groups: z.array(z.number()).optional(),
    selinux_type: text,
    seccomp_profile: profile,
    app_armor_profile: profile,
  })
  .optional();

const containerSecurityContext = z
  .object({
    capabilities: z.object({ add: texts, drop: texts }).optional(),
    privileged: flag,
    run_as_user: integer,
    run_as_group: integer,
    run_as_non_root: flag,
    read_only_root_filesystem: flag,
    allow_privilege_escalation: flag,
    selinux_type: text,
    proc_mount: text,
    seccomp_profile: profile,
    app_armor_profile: profile,
  })
  .optional();

const mount = { name: text, mount_path: text, sub_path: text, read_only: flag };

function volumeList(keys: z.ZodRawShape) {
  return z.array(z.object({ ...mount, ...keys })).optional();
}

const volumes = z
  .object({
    host_path: volumeList({ host_path: text, mount_propagation: text }),
    pvc: volumeList({ mount_propagation: text }),
    config_map: volumeList({ items: textMap }),
    secret: volumeList({ items: textMap }),
    empty_dir: volumeList({ medium: text, size_limit: text, mount_propagation: text }),
    csi: volumeList({ driver: text, fs_type: text, volume_attributes: textMap }),
    nfs: volumeList({ server: text, path: text }),
  })
  .optional();

const service = z.object({
  name: text,
  alias: text,
  command: texts,
  entrypoint: texts,
  environment: texts,
  suspend_data_path: text,
});

const dnsConfig = z
  .object({
    nameservers: texts,
    searches: texts,
    options: z.array(z.object({ name: text, value: text })).optional(),
  })
  .optional();

const handler = z
  .object({
    exec: z.object({ command: texts }).optional(),
    http_get: z
      .object({
        host: text,
        path: text,
        port: integer,
        scheme: text,
        http_headers: z.array(z.object({ name: text, value: text })).optional(),
      })
      .optional(),
    tcp_socket: z.object({ host: text, port: integer }).optional(),
  })
  .optional();

const lifecycle = z.object({ post_start: handler, pre_stop: handler }).optional();
const podPatch = z.object({ name: text, patch: text, patch_path: text, patch_type: text });

const autoscaler = z
  .object({
    max_pause_pods: integer,
    pause_pod_image: text,
    pause_pod_priority_class_name: text,
    pause_pod_image_pull_secrets: texts,
    policy: autoscalerPolicy,
  })
  .optional();

export const kubernetesKeys = z.object({
  host: text,
  context: text,
  cert_file: text,
  key_file: text,
  ca_file: text,
  bearer_token_overwrite_allowed: flag,
  bearer_token: text,
  image: text,
  namespace: text,
  namespace_overwrite_allowed: text,
  namespace_per_job: flag,
  privileged: flag,
  runtime_class_name: text,
  allow_privilege_escalation: flag,
  cpu_limit: text,
  cpu_limit_overwrite_max_allowed: text,
  cpu_request: text,
  cpu_request_overwrite_max_allowed: text,
  memory_limit: text,
  memory_limit_overwrite_max_allowed: text,
  memory_request: text,
  memory_request_overwrite_max_allowed: text,
  ephemeral_storage_limit: text,
  ephemeral_storage_limit_overwrite_max_allowed: text,
  ephemeral_storage_request: text,
  ephemeral_storage_request_overwrite_max_allowed: text,
  service_cpu_limit: text,
  service_cpu_limit_overwrite_max_allowed: text,
  service_cpu_request: text,
  service_cpu_request_overwrite_max_allowed: text,
  service_memory_limit: text,
  service_memory_limit_overwrite_max_allowed: text,
  service_memory_request: text,
  service_memory_request_overwrite_max_allowed: text,
  service_ephemeral_storage_limit: text,
  service_ephemeral_storage_limit_overwrite_max_allowed: text,
  service_ephemeral_storage_request: text,
  service_ephemeral_storage_request_overwrite_max_allowed: text,
  helper_cpu_limit: text,
  helper_cpu_limit_overwrite_max_allowed: text,
  helper_cpu_request: text,
  helper_cpu_request_overwrite_max_allowed: text,
  helper_memory_limit: text,
  helper_memory_limit_overwrite_max_allowed: text,
  helper_memory_request: text,
  helper_memory_request_overwrite_max_allowed: text,
  helper_ephemeral_storage_limit: text,
  helper_ephemeral_storage_limit_overwrite_max_allowed: text,
  helper_ephemeral_storage_request: text,
  helper_ephemeral_storage_request_overwrite_max_allowed: text,
  pod_cpu_limit: text,
  pod_cpu_limit_overwrite_max_allowed: text,
  pod_cpu_request: text,
  pod_cpu_request_overwrite_max_allowed: text,
  pod_memory_limit: text,
  pod_memory_limit_overwrite_max_allowed: text,
  pod_memory_request: text,
  pod_memory_request_overwrite_max_allowed: text,
  allowed_images: texts,
  allowed_pull_policies: texts,
  allowed_services: texts,
  allowed_users: texts,
  allowed_groups: texts,
  pull_policy: textOrTexts,
  node_selector: textMap,
  node_selector_overwrite_allowed: text,
  node_tolerations: textMap,
  node_tolerations_overwrite_allowed: text,
  affinity: anyTable,
  image_pull_secrets: texts,
  use_service_account_image_pull_secrets: flag,
  helper_image: text,
  helper_image_flavor: text,
  helper_image_autoset_arch_and_os: flag,
  pod_termination_grace_period_seconds: integer,
  cleanup_grace_period_seconds: integer,
  cleanup_resources_timeout: duration,
  poll_interval: integer,
  poll_timeout: integer,
  resource_availability_check_max_attempts: integer,
  retry_limit: integer,
  retry_backoff_max: integer,
  retry_limits: z.record(z.string(), z.number()).optional(),
  pod_labels: textMap,
  pod_labels_overwrite_allowed: text,
  scheduler_name: text,
  service_account: text,
  service_account_overwrite_allowed: text,
  automount_service_account_token: flag,
  pod_annotations: textMap,
  pod_annotations_overwrite_allowed: text,
  pod_security_context: podSecurityContext,
  init_permissions_container_security_context: containerSecurityContext,
  build_container_security_context: containerSecurityContext,
  helper_container_security_context: containerSecurityContext,
  service_container_security_context: containerSecurityContext,
  volumes,
  host_aliases: z.array(z.object({ ip: text, hostnames: texts }).partial()).optional(),
  services: z.array(service).optional(),
  cap_add: texts,
  cap_drop: texts,
  suspend_pvc_size: text,
  suspend_pvc_storage_class: text,
  dns_policy: text,
  dns_config: dnsConfig,
  container_lifecycle: lifecycle,
  priority_class_name: text,
  pod_spec: z.array(podPatch).optional(),
  logs_base_dir: text,
  scripts_base_dir: text,
  print_pod_warning_events: flag,
  pod_disruption_budget: flag,
  autoscaler,
});
