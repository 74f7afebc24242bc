import * as z from 'zod';
import { parseGoDuration } from '../lib/go-duration.ts';

/**
 * `[runners.docker]` (spec config.md §7, docker.md §1): names, types and defaults. Only types are checked here: what a
 * value means (sizes, globs, policies) is checked when a job uses it, with an error that the job shows.
 */
const integer = z.number().default(0);
const text = z.string().default('');
const flag = z.boolean().default(false);
const texts = z.array(z.string()).default([]);
const textMap = z.record(z.string(), z.string()).default({});

const serviceSchema = z.object({
  name: text.describe('Image; variables of the job are expanded.'),
  alias: text.describe('More host names, with spaces or commas between; variables are expanded.'),
  command: texts.describe('Command of the container.'),
  entrypoint: texts.describe('Entrypoint of the container.'),
  environment: texts.describe('`NAME=VALUE` for this service.'),
  suspend_data_path: text.describe('No effect with Docker.'),
});

const duration = z
  .string()
  .default('')
  .transform((value, context) => {
    const milliseconds = value === '' ? 0 : parseGoDuration(value);
    if (milliseconds !== undefined) return milliseconds;
    context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} is not a duration; write it like "10m"` });
    return z.NEVER;
  });

/** Ours: keeps the disk of the daemon within limits. Off unless one of the two limits is set. */
const diskCareSchema = z.object({
  max_size: text.describe('Room for images that this runner pulled and for cache volumes, like `"20GB"`.'),
  min_free: text.describe('Room that stays free on the daemon’s disk, like `"10GB"` or `"15%"`; local daemons only.'),
  interval: duration.describe('Time between two looks; empty = 10 minutes.'),
});

const connection = {
  host: text.describe(
    'Address of the daemon: `unix://`, `tcp://`, `ssh://`, `npipe://`. Empty = `DOCKER_HOST`, then the default socket.',
  ),
  tls_cert_path: text.describe('Folder with `ca.pem`, `cert.pem`, `key.pem`.'),
  tls_verify: flag.describe('Use TLS and verify the daemon.'),
};

const images = {
  image: text.describe('Image of jobs that name none.'),
  pull_policy: z
    .union([z.string(), z.array(z.string())], { error: 'expected a text or an array of texts' })
    .default([])
    .transform((value): readonly string[] => (typeof value === 'string' ? (value === '' ? [] : [value]) : value))
    .describe('`always`, `if-not-present`, `never`, or a list that is tried in its order; empty = `always`.'),
  allowed_pull_policies: texts.describe('Policies that jobs may ask for; empty = those of `pull_policy`.'),
  allowed_images: texts.describe('Globs of images that jobs may use; empty = all.'),
  allowed_services: texts.describe('Globs of services that jobs may use; empty = all.'),
  allowed_privileged_images: texts.describe('Globs of images that get `privileged`; empty = all.'),
  allowed_privileged_services: texts.describe('Globs of services that get it; empty = all.'),
  helper_image: text.describe('Helper image instead of the default one; variables of the job are expanded.'),
  helper_image_flavor: text.describe('Flavor of the default helper image.'),
  disable_entrypoint_overwrite: flag.describe('Ignore entrypoints that jobs set.'),
};

const container = {
  hostname: text.describe('Host name in the container.'),
  runtime: text.describe('OCI runtime.'),
  user: text.describe('User of the build container.'),
  allowed_users: texts.describe('Users that jobs may choose; empty = only `user`, or any where that is empty.'),
  group_add: texts.describe('More groups.'),
  userns_mode: text.describe('User namespace.'),
  privileged: flag.describe('Privileged containers.'),
  services_privileged: z.boolean().optional().describe('The same for services; absent = as `privileged`.'),
  cap_add: texts.describe('Capabilities to add.'),
  cap_drop: texts.describe('Capabilities to drop.'),
  security_opt: texts.describe('Security options; `seccomp=<file>` is read on the machine of the runner.'),
  services_security_opt: texts.describe('The same for services.'),
  devices: texts.describe('`host[:container[:permissions]]`'),
  services_devices: z.record(z.string(), z.array(z.string())).default({}).describe('Glob of service images → devices.'),
  device_cgroup_rules: texts.describe('Rules for devices.'),
  gpus: text.describe('GPUs as for `docker run --gpus`.'),
  isolation: text.describe('`default`, `process` or `hyperv` (Windows).'),
  pid_mode: text.describe('PID namespace.'),
  ipcmode: text.describe('IPC namespace.'),
  shm_size: integer.describe('Size of `/dev/shm` in bytes.'),
  sysctls: textMap.describe('Kernel settings.'),
  ulimit: textMap.describe('Name → `soft[:hard]`.'),
  container_labels: textMap.describe('More labels; variables of the job are expanded in values.'),
  log_options: textMap.describe('`env` and `labels` of the `json-file` log driver.'),
};

const limits = {
  memory: text.describe('Limit like `512m`.'),
  memory_swap: text.describe('Limit of memory and swap together.'),
  memory_reservation: text.describe('Soft limit.'),
  cpus: text.describe('Processors, like `0.5` or `1/2`.'),
  cpu_shares: integer.describe('Weight.'),
  cpuset_cpus: text.describe('Processors that may be used.'),
  cpuset_mems: text.describe('Memory nodes that may be used.'),
  cgroup_parent: text.describe('Parent control group.'),
  oom_kill_disable: flag.describe('Do not kill at the memory limit.'),
  oom_score_adjust: integer.describe('Adjustment of the kill score.'),
  service_memory: text.describe('Limit of services.'),
  service_memory_swap: text.describe('Limit of services with swap.'),
  service_memory_reservation: text.describe('Soft limit of services.'),
  service_cpus: text.describe('Processors of services.'),
  service_cpu_shares: integer.describe('Weight of services.'),
  service_cpuset_cpus: text.describe('Processors that services may use.'),
  service_cgroup_parent: text.describe('Parent control group of services.'),
  service_slot_cgroup_template: text.describe('No effect in this version.'),
  service_gpus: text.describe('GPUs of services.'),
};

const storage = {
  volumes: texts.describe('`/path` for a cache volume, or `source:/path[:mode]`.'),
  volumes_from: texts.describe('Containers whose volumes are mounted.'),
  volume_driver: text.describe('Driver of volumes.'),
  volume_driver_ops: textMap.describe('Its options.'),
  volume_keep: flag.describe('Keep anonymous volumes when containers are removed.'),
  cache_dir: text.describe('Folder of the daemon’s machine for cache volumes, instead of named volumes.'),
  disable_cache: flag.describe('Cache volumes last for one job only.'),
  tmpfs: textMap.describe('Path → options.'),
  services_tmpfs: textMap.describe('The same for services.'),
};

const network = {
  network_mode: text.describe('Network of all containers; a named one is not removed.'),
  network_mtu: integer.describe('MTU of networks that are made for a job.'),
  enable_ipv6: flag.describe('IPv6 in networks that are made for a job.'),
  mac_address: text.describe('MAC address of the containers (daemon API 1.44 or later).'),
  dns: texts.describe('DNS servers, as addresses.'),
  dns_search: texts.describe('DNS search domains.'),
  extra_hosts: texts.describe('`host:address` entries.'),
  links: texts.describe('Links of the build container.'),
};

const services = {
  services: z.array(serviceSchema).default([]),
  services_limit: z.number().optional().describe('Most services of a job; absent or -1 = no limit.'),
  wait_for_services_timeout: integer.describe('Seconds to wait for services; 0 = 30, negative = do not wait.'),
};

export const dockerSchema = z.object({
  ...connection,
  ...images,
  ...container,
  ...limits,
  ...storage,
  ...network,
  ...services,
  disk_care: diskCareSchema.prefault({}),
});

/** `[runners.docker]`, parsed and defaulted. */
export type DockerConfig = z.output<typeof dockerSchema>;
