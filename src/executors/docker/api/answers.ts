import * as z from 'zod';

/**
 * What is read of the daemon's answers (Docker Engine API). Everything that a daemon may leave out, or that podman
 * spells as null, has a default.
 */
const text = z.string().nullish().transform(orEmpty);
const count = z
  .number()
  .nullish()
  .transform((value) => value ?? 0);
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const texts = z
  .array(z.string())
  .nullish()
  .transform((value): readonly string[] => value ?? []);
const textMap = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value): Readonly<Record<string, string>> => value ?? {});
const keys = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((value): readonly string[] => Object.keys(value ?? {}));

function orEmpty(value: string | null | undefined): string {
  return value ?? '';
}

export const daemonInfoSchema = z.object({
  ID: text,
  Name: text,
  OSType: text,
  OperatingSystem: text,
  Architecture: text,
  KernelVersion: text,
  ServerVersion: text,
  DockerRootDir: text,
  CgroupVersion: text,
  MemTotal: count,
  NCPU: count,
});
export type DaemonInfo = z.output<typeof daemonInfoSchema>;

export const daemonVersionSchema = z.object({
  Version: text,
  ApiVersion: text,
  MinAPIVersion: text,
  Os: text,
  Arch: text,
  KernelVersion: text,
});
export type DaemonVersion = z.output<typeof daemonVersionSchema>;

export const imageInfoSchema = z.object({
  Id: z.string(),
  RepoTags: texts,
  RepoDigests: texts,
  Os: text,
  Architecture: text,
  Variant: text,
  Size: count,
  Config: z
    .object({
      User: text,
      Env: texts,
      Cmd: texts,
      Entrypoint: texts,
      /** `5432/tcp` */
      ExposedPorts: keys,
      WorkingDir: text,
      Labels: textMap,
    })
    .nullish(),
});
export type ImageInfo = z.output<typeof imageInfoSchema>;

export const imageSummarySchema = z.object({
  Id: z.string(),
  RepoTags: texts,
  RepoDigests: texts,
  Size: count,
  /** Seconds since 1970. */
  Created: count,
  /** -1 = not counted. */
  Containers: count,
  Labels: textMap,
});
export type ImageSummary = z.output<typeof imageSummarySchema>;

const endpointSchema = z.object({
  IPAddress: text,
  GlobalIPv6Address: text,
  NetworkID: text,
  Aliases: texts,
});

export const containerInfoSchema = z.object({
  Id: z.string(),
  /** With its leading slash. */
  Name: text,
  /** Id of the image. */
  Image: text,
  RestartCount: count,
  State: z.object({
    /** `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead` */
    Status: text,
    Running: flag,
    OOMKilled: flag,
    Dead: flag,
    Pid: count,
    ExitCode: count,
    Error: text,
    StartedAt: text,
    FinishedAt: text,
  }),
  Config: z
    .object({
      User: text,
      Env: texts,
      Image: text,
      ExposedPorts: keys,
      Labels: textMap,
      Tty: flag,
    })
    .nullish(),
  Mounts: z
    .array(z.object({ Type: text, Name: text, Source: text, Destination: text, RW: flag }))
    .nullish()
    .transform((value) => value ?? []),
  NetworkSettings: z
    .object({
      IPAddress: text,
      GlobalIPv6Address: text,
      Networks: z
        .record(z.string(), endpointSchema)
        .nullish()
        .transform((value) => value ?? {}),
    })
    .nullish(),
});
export type ContainerInfo = z.output<typeof containerInfoSchema>;

export const containerSummarySchema = z.object({
  Id: z.string(),
  /** With their leading slash. */
  Names: texts,
  Image: text,
  ImageID: text,
  State: text,
  Status: text,
  /** Seconds since 1970. */
  Created: count,
  Labels: textMap,
  Mounts: z
    .array(z.object({ Type: text, Name: text, Source: text, Destination: text }))
    .nullish()
    .transform((value) => value ?? []),
});
export type ContainerSummary = z.output<typeof containerSummarySchema>;

export const createdSchema = z.object({ Id: z.string(), Warnings: texts });
export type CreatedContainer = z.output<typeof createdSchema>;

export const waitSchema = z.object({
  StatusCode: z.number(),
  Error: z.object({ Message: text }).nullish(),
});

export const execInfoSchema = z.object({
  ID: text,
  Running: flag,
  /** Null while it runs. */
  ExitCode: z.number().nullish(),
  Pid: count,
  ContainerID: text,
});
export type ExecInfo = z.output<typeof execInfoSchema>;

export const volumeSchema = z.object({
  Name: z.string(),
  Driver: text,
  Mountpoint: text,
  CreatedAt: text,
  Labels: textMap,
  /** Only in the answer of `diskUsage`; -1 = not known. */
  UsageData: z.object({ Size: z.number(), RefCount: z.number() }).nullish(),
});
export type VolumeInfo = z.output<typeof volumeSchema>;

export const volumeListSchema = z.object({
  Volumes: z
    .array(volumeSchema)
    .nullish()
    .transform((value) => value ?? []),
});

export const networkSchema = z.object({
  Id: text,
  Name: text,
  Driver: text,
  /** RFC 3339. */
  Created: text,
  EnableIPv6: flag,
  Labels: textMap,
  IPAM: z
    .object({
      Config: z
        .array(z.object({ Subnet: text, Gateway: text }))
        .nullish()
        .transform((value) => value ?? []),
    })
    .nullish(),
  /** Attached containers: id → addresses. Only in the answer of an inspect. */
  Containers: z
    .record(z.string(), z.object({ Name: text, IPv4Address: text, IPv6Address: text }))
    .nullish()
    .transform((value) => value ?? {}),
});
export type NetworkInfo = z.output<typeof networkSchema>;

export const diskUsageSchema = z.object({
  LayersSize: count,
  Images: z
    .array(z.object({ ...imageSummarySchema.shape, SharedSize: count }))
    .nullish()
    .transform((value) => value ?? []),
  Volumes: z
    .array(volumeSchema)
    .nullish()
    .transform((value) => value ?? []),
});
export type DiskUsage = z.output<typeof diskUsageSchema>;

export const daemonEventSchema = z.object({
  /** `container`, `image`, `network`, `volume` */
  Type: text,
  /** `create`, `start`, `die`, `oom`, `destroy`, `health_status: healthy`, … */
  Action: text,
  Actor: z.object({ ID: text, Attributes: textMap }).nullish(),
  /** Seconds since 1970. */
  time: count,
  timeNano: count,
});
export type DaemonEvent = z.output<typeof daemonEventSchema>;

export const progressSchema = z.object({
  status: text,
  id: text,
  stream: text,
  progressDetail: z.object({ current: count, total: count }).nullish(),
  error: text,
  errorDetail: z.object({ message: text }).nullish(),
});
/** One line of a pull, load, import or push. */
export type ProgressLine = z.output<typeof progressSchema>;
