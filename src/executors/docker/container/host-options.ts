import type { DockerConfig } from '../../../config/docker-schema.ts';
import { JobConfigurationError, PrepareError } from '../../../lib/errors.ts';
import { isIpAddress } from '../../../platform/ip-address.ts';
import type { HostConfig } from '../api/requests.ts';
import { parseDevice, parseGpus, parseUlimits } from './devices.ts';
import { parseCpus, parseMemorySize } from './memory-size.ts';

/** What is known only when a job's containers are made. */
export interface HostFacts {
  readonly networkMode: string;
  readonly binds: readonly string[];
  /** `<alias>:<address>` of services, for containers that could not find them otherwise. */
  readonly serviceHosts: readonly string[];
  /** FF_USE_INIT_WITH_DOCKER_EXECUTOR */
  readonly usesInit: boolean;
  /** Whether privileged mode is allowed for this image. */
  readonly mayBePrivileged: boolean;
  /** `security_opt` with the contents of profiles. */
  readonly securityOptions: readonly string[];
}

/** The daemon keeps all output of a container until it is removed: it is read from there after a restart. */
const wholeLog = '1t';

/** `HostConfig` of the build container and the helper (spec docker.md §9.2). */
export function jobHostOptions(settings: DockerConfig, facts: HostFacts, kind: 'build' | 'helper'): HostConfig {
  return {
    ...commonOptions(settings, facts),
    ...present({
      Memory: parseMemorySize(settings.memory, 'memory'),
      MemorySwap: parseMemorySize(settings.memory_swap, 'memory_swap'),
      MemoryReservation: parseMemorySize(settings.memory_reservation, 'memory_reservation'),
      NanoCpus: parseCpus(settings.cpus),
    }),
    ...filled({
      CpuShares: settings.cpu_shares,
      CpusetCpus: settings.cpuset_cpus,
      CpusetMems: settings.cpuset_mems,
      CgroupParent: settings.cgroup_parent,
      Devices: settings.devices.map(parseDevice),
      DeviceRequests: parseGpus(settings.gpus),
      DeviceCgroupRules: settings.device_cgroup_rules,
      Ulimits: parseUlimits(settings.ulimit),
      OomScoreAdj: settings.oom_score_adjust,
      CapAdd: capabilities(settings.cap_add),
      CapDrop: capabilities(settings.cap_drop),
      SecurityOpt: facts.securityOptions,
      GroupAdd: settings.group_add,
      PidMode: kind === 'build' ? settings.pid_mode : '',
      IpcMode: settings.ipcmode,
      ExtraHosts: [...settings.extra_hosts, ...facts.serviceHosts],
      Links: settings.links,
      VolumesFrom: settings.volumes_from,
      VolumeDriver: settings.volume_driver,
      Tmpfs: settings.tmpfs,
      Sysctls: settings.sysctls,
    }),
    OomKillDisable: settings.oom_kill_disable,
    Privileged: settings.privileged && facts.mayBePrivileged,
    ...(facts.usesInit && kind === 'build' ? { Init: true } : {}),
  };
}

/** `HostConfig` of a service. @param imageDevices what `services_devices` gives its image */
export function serviceHostOptions(
  settings: DockerConfig,
  facts: HostFacts,
  imageDevices: readonly string[],
): HostConfig {
  return {
    ...commonOptions(settings, facts),
    ...present({
      Memory: parseMemorySize(settings.service_memory, 'service_memory'),
      MemorySwap: parseMemorySize(settings.service_memory_swap, 'service_memory_swap'),
      MemoryReservation: parseMemorySize(settings.service_memory_reservation, 'service_memory_reservation'),
      NanoCpus: parseCpus(settings.service_cpus),
    }),
    ...filled({
      CpuShares: settings.service_cpu_shares,
      CpusetCpus: settings.service_cpuset_cpus,
      CgroupParent: settings.service_cgroup_parent,
      Devices: imageDevices.map(parseDevice),
      DeviceRequests: parseGpus(settings.service_gpus),
      SecurityOpt: facts.securityOptions,
      ExtraHosts: settings.extra_hosts,
      Tmpfs: settings.services_tmpfs,
    }),
    Privileged: (settings.services_privileged ?? settings.privileged) && facts.mayBePrivileged,
    ...(facts.usesInit ? { Init: true } : {}),
  };
}

function commonOptions(settings: DockerConfig, facts: HostFacts): HostConfig {
  return {
    ...filled({
      UsernsMode: settings.userns_mode,
      Runtime: settings.runtime,
      Isolation: isolation(settings.isolation),
      Dns: settings.dns.map(dnsServer),
      DnsSearch: settings.dns_search,
      NetworkMode: facts.networkMode,
      Binds: facts.binds,
      ShmSize: settings.shm_size,
    }),
    LogConfig: { Type: 'json-file', Config: { 'max-size': wholeLog, ...logOptions(settings.log_options) } },
    RestartPolicy: { Name: 'no' },
  };
}

/** @throws JobConfigurationError (spec docker.md §9.3) */
export function logOptions(options: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const others = Object.keys(options).filter((key) => key !== 'env' && key !== 'labels');
  if (others.length > 0) {
    throw new JobConfigurationError(
      `creating docker log configuration: invalid log options: only ["env" "labels"] are allowed, but found: [${others.toSorted().join(' ')}]`,
    );
  }
  return options;
}

function isolation(value: string): string {
  if (['', 'default', 'process', 'hyperv'].includes(value)) return value;
  throw new PrepareError(
    `the isolation value "${value}" is not valid. the valid values are: 'process', 'hyperv', 'default' and an empty string`,
  );
}

function dnsServer(address: string): string {
  if (isIpAddress(address)) return address;
  throw new JobConfigurationError(`invalid DNS server address "${address}": it is not an IP address`);
}

/** As the daemon wants them: upper case, with their prefix, each once, in order. */
function capabilities(names: readonly string[]): readonly string[] {
  const normal = names.map((name) => {
    const upper = name.trim().toUpperCase();
    return upper === 'ALL' || upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  });
  return [...new Set(normal)].toSorted();
}

/** Without the entries that are undefined. */
function present<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** Without empty texts, zeros, empty lists and empty tables: these stand for the daemon's default. */
function filled<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => !isEmpty(value))) as Partial<T>;
}

function isEmpty(value: unknown): boolean {
  if (value === '' || value === 0 || value === undefined) return true;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
