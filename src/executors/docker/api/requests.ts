/** Bodies of requests, in the daemon's spelling (Docker Engine API 1.40 to 1.51). Absent = the daemon's default. */
export interface ContainerConfig {
  readonly Image: string;
  readonly Hostname?: string;
  readonly User?: string;
  readonly Cmd?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Env?: readonly string[];
  readonly Labels?: Readonly<Record<string, string>>;
  readonly WorkingDir?: string;
  readonly Tty?: boolean;
  readonly AttachStdin?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  readonly OpenStdin?: boolean;
  readonly StdinOnce?: boolean;
  readonly NetworkDisabled?: boolean;
  readonly StopSignal?: string;
  /** Seconds. */
  readonly StopTimeout?: number;
  readonly HostConfig?: HostConfig;
  readonly NetworkingConfig?: { readonly EndpointsConfig: Readonly<Record<string, EndpointSettings>> };
}

export interface HostConfig {
  readonly Binds?: readonly string[];
  readonly Mounts?: readonly MountSpec[];
  readonly VolumesFrom?: readonly string[];
  readonly VolumeDriver?: string;
  readonly Tmpfs?: Readonly<Record<string, string>>;
  readonly Memory?: number;
  readonly MemorySwap?: number;
  readonly MemoryReservation?: number;
  readonly NanoCpus?: number;
  readonly CpuShares?: number;
  readonly CpusetCpus?: string;
  readonly CpusetMems?: string;
  readonly CgroupParent?: string;
  readonly Devices?: readonly DeviceMapping[];
  readonly DeviceRequests?: readonly DeviceRequest[];
  readonly DeviceCgroupRules?: readonly string[];
  readonly Ulimits?: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[];
  readonly OomKillDisable?: boolean;
  readonly OomScoreAdj?: number;
  readonly Privileged?: boolean;
  readonly CapAdd?: readonly string[];
  readonly CapDrop?: readonly string[];
  readonly SecurityOpt?: readonly string[];
  readonly GroupAdd?: readonly string[];
  readonly UsernsMode?: string;
  readonly Runtime?: string;
  readonly Isolation?: string;
  readonly PidMode?: string;
  readonly IpcMode?: string;
  /** (The daemon's spelling.) */
  readonly Dns?: readonly string[];
  readonly DnsSearch?: readonly string[];
  readonly ExtraHosts?: readonly string[];
  readonly Links?: readonly string[];
  readonly NetworkMode?: string;
  /** Bytes. */
  readonly ShmSize?: number;
  readonly Sysctls?: Readonly<Record<string, string>>;
  readonly Init?: boolean;
  readonly LogConfig?: { readonly Type: string; readonly Config?: Readonly<Record<string, string>> };
  readonly RestartPolicy?: { readonly Name: string };
  readonly ReadonlyRootfs?: boolean;
  readonly AutoRemove?: boolean;
}

export interface MountSpec {
  readonly Type: 'bind' | 'volume' | 'tmpfs' | 'npipe';
  readonly Source?: string;
  readonly Target: string;
  readonly ReadOnly?: boolean;
  readonly VolumeOptions?: { readonly NoCopy?: boolean; readonly Labels?: Readonly<Record<string, string>> };
}

export interface DeviceMapping {
  readonly PathOnHost: string;
  readonly PathInContainer: string;
  readonly CgroupPermissions: string;
}

export interface DeviceRequest {
  readonly Driver?: string;
  /** -1 = all. */
  readonly Count?: number;
  readonly DeviceIDs?: readonly string[];
  readonly Capabilities?: readonly (readonly string[])[];
  readonly Options?: Readonly<Record<string, string>>;
}

export interface EndpointSettings {
  readonly Aliases?: readonly string[];
  readonly MacAddress?: string;
}

export interface ExecConfig {
  readonly Cmd: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly Tty?: boolean;
  readonly AttachStdin?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  readonly Privileged?: boolean;
}

export interface NetworkConfig {
  readonly Name: string;
  readonly Driver?: string;
  readonly EnableIPv6?: boolean;
  readonly Internal?: boolean;
  readonly Options?: Readonly<Record<string, string>>;
  readonly Labels?: Readonly<Record<string, string>>;
}

export interface VolumeConfig {
  readonly Name: string;
  readonly Driver?: string;
  readonly DriverOpts?: Readonly<Record<string, string>>;
  readonly Labels?: Readonly<Record<string, string>>;
}

/** `{ label: ['a=b'] }`: values of one name are alternatives, except labels, which must all match. */
export type Filters = Readonly<Record<string, readonly string[]>>;
