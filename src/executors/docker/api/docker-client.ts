import type { Readable } from 'node:stream';
import type {
  ContainerInfo,
  ContainerSummary,
  CreatedContainer,
  DaemonEvent,
  DaemonInfo,
  DaemonVersion,
  DiskUsage,
  ExecInfo,
  ImageInfo,
  ImageSummary,
  NetworkInfo,
  ProgressLine,
  VolumeInfo,
} from './answers.ts';
import type { ContainerConfig, ExecConfig, Filters, NetworkConfig, VolumeConfig } from './requests.ts';

/**
 * The Engine API of one daemon, over a pool of connections.
 *
 * Every method throws `DaemonError` (`not_found`, `conflict`, `invalid`, `failed` with the daemon's text; `unreachable`
 * and `protocol` for the connection) and the signal's reason when it is aborted. "Gone already" is a value where a
 * method says so. Methods may be called at the same time.
 */
export interface DockerClient extends DockerContainers, DockerImages, DockerResources {
  /** As the user would write it: `unix:///var/run/docker.sock`. */
  readonly address: string;
  /** Agreed with the daemon at the first call: `1.41`. */
  apiVersion(signal: AbortSignal): Promise<string>;
  /** Whether the agreed version is at least this one. */
  supports(version: string, signal: AbortSignal): Promise<boolean>;
  info(signal: AbortSignal): Promise<DaemonInfo>;
  version(signal: AbortSignal): Promise<DaemonVersion>;
  /**
   * What happens at the daemon, from `since`; without it from a moment before this call: what is done once the promise
   * has resolved is not missed, events of the second before may come too. Ends with the signal, `close` or the
   * connection.
   */
  events(options: EventOptions, signal: AbortSignal): Promise<EventStream>;
  /** Closes idle connections; streams go on. */
  close(): void;
}

export interface EventOptions {
  readonly filters: Filters;
  /** Seconds since 1970, with a fraction; past events come first. */
  readonly since?: number;
  readonly until?: number;
}

export interface EventStream extends AsyncIterable<DaemonEvent> {
  close(): void;
}

export interface DockerContainers {
  /** @param platform `linux/arm64`; only from API 1.41. */
  createContainer(
    config: ContainerConfig,
    options: { readonly name?: string; readonly platform?: string },
    signal: AbortSignal,
  ): Promise<CreatedContainer>;
  startContainer(id: string, signal: AbortSignal): Promise<void>;
  /** Undefined = there is none. */
  inspectContainer(id: string, signal: AbortSignal): Promise<ContainerInfo | undefined>;
  listContainers(
    options: { readonly all: boolean; readonly filters: Filters },
    signal: AbortSignal,
  ): Promise<readonly ContainerSummary[]>;
  /** Signal, grace, then kill. Absent grace = the container's own (10 s). False = there is none. */
  stopContainer(id: string, options: { readonly graceSeconds?: number }, signal: AbortSignal): Promise<boolean>;
  /** False = there is none, or it does not run. */
  killContainer(id: string, options: { readonly signal?: string }, signal: AbortSignal): Promise<boolean>;
  /**
   * Resolves with the exit code. `next-exit` counts only an end after the daemon has taken the request:
   * `accepted` is called then.
   */
  waitContainer(
    id: string,
    options: { readonly condition: 'not-running' | 'next-exit' | 'removed'; readonly accepted?: () => void },
    signal: AbortSignal,
  ): Promise<{ readonly exitCode: number; readonly error: string }>;
  /** Always forced. False = there is none. Waits out a removal that is already under way. */
  removeContainer(id: string, options: { readonly volumes: boolean }, signal: AbortSignal): Promise<boolean>;
  /** Not a replacement for reading files by offset: a broken attach cannot be taken up again. */
  attachContainer(
    id: string,
    options: {
      readonly stdin: boolean;
      readonly stdout: boolean;
      readonly stderr: boolean;
      readonly logs?: boolean;
      readonly tty?: boolean;
    },
    signal: AbortSignal,
  ): Promise<ContainerStream>;
  /** @param options `since` in seconds since 1970 with a fraction; `tail` = last lines. */
  containerLogs(
    id: string,
    options: {
      readonly follow: boolean;
      readonly timestamps?: boolean;
      readonly since?: string;
      readonly tail?: number;
      readonly tty?: boolean;
    },
    signal: AbortSignal,
  ): Promise<OutputFrames>;
  createExec(containerId: string, config: ExecConfig, signal: AbortSignal): Promise<string>;
  /** Starts a created exec with its streams attached. `tty` as it was created. */
  startExec(execId: string, options: { readonly tty: boolean }, signal: AbortSignal): Promise<ContainerStream>;
  /** Starts a created exec whose end nobody waits for. */
  startExecDetached(execId: string, signal: AbortSignal): Promise<void>;
  inspectExec(execId: string, signal: AbortSignal): Promise<ExecInfo>;
  resizeExec(
    execId: string,
    size: { readonly rows: number; readonly columns: number },
    signal: AbortSignal,
  ): Promise<void>;
  /** Unpacks a tar into a folder of the container, which may be stopped. */
  putArchive(id: string, path: string, tar: Uint8Array | Readable, signal: AbortSignal): Promise<void>;
  /** A file or folder as a tar; undefined = no such path. Read it to its end or destroy it. */
  getArchive(id: string, path: string, signal: AbortSignal): Promise<Readable | undefined>;
}

/** Output of a process, frame by frame; a frame has at least one byte. Leaving the loop closes the stream. */
export interface OutputFrames extends AsyncIterable<OutputFrame> {
  close(): void;
}

export interface OutputFrame {
  /** All is `stdout` with a terminal. */
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

/** Both directions of an attached container or exec. */
export interface ContainerStream extends OutputFrames {
  /** Resolves when the connection takes more. @throws DaemonError when it is gone. */
  write(bytes: Uint8Array | string): Promise<void>;
  /** Ends standard input; output goes on. */
  endInput(): void;
}

export interface DockerImages {
  /** Undefined = not there. `platform` (`linux/arm64`) is only asked for from API 1.49. */
  inspectImage(
    reference: string,
    options: { readonly platform?: string },
    signal: AbortSignal,
  ): Promise<ImageInfo | undefined>;
  /** @throws DaemonError `failed` with the text of the daemon or registry, also when it comes in the stream. */
  pullImage(pull: PullRequest, onProgress: (line: ProgressLine) => void, signal: AbortSignal): Promise<void>;
  listImages(options: { readonly filters: Filters }, signal: AbortSignal): Promise<readonly ImageSummary[]>;
  tagImage(
    reference: string,
    target: { readonly repository: string; readonly tag: string },
    signal: AbortSignal,
  ): Promise<void>;
  /** Removes a name, and the image with its last name. Never forced. False = there is none. */
  removeImage(reference: string, signal: AbortSignal): Promise<boolean>;
  /** Takes a `docker save` archive; returns the names or ids that it held. */
  loadImage(archive: Readable, signal: AbortSignal): Promise<readonly string[]>;
  /** Makes an image of a root file system's tar; returns its id. */
  importImage(
    root: Readable,
    options: { readonly repository: string; readonly tag: string; readonly changes: readonly string[] },
    signal: AbortSignal,
  ): Promise<string>;
  /** Builds a tar of a Dockerfile and its files (the classic builder); returns the id. `onOutput` gets its log. */
  buildImage(
    context: Readable,
    options: {
      readonly tag: string;
      readonly buildArguments?: Readonly<Record<string, string>>;
      readonly pull?: boolean;
    },
    onOutput: (text: string) => void,
    signal: AbortSignal,
  ): Promise<string>;
}

export interface PullRequest {
  /** `registry:5000/group/name`, without tag or digest. */
  readonly repository: string;
  /** `latest` or `sha256:…` */
  readonly tag: string;
  readonly platform?: string;
  /** Value of `X-Registry-Auth`. */
  readonly registryAuth?: string;
}

export interface DockerResources {
  createNetwork(config: NetworkConfig, signal: AbortSignal): Promise<string>;
  /** Undefined = there is none. */
  inspectNetwork(id: string, signal: AbortSignal): Promise<NetworkInfo | undefined>;
  listNetworks(options: { readonly filters: Filters }, signal: AbortSignal): Promise<readonly NetworkInfo[]>;
  disconnectNetwork(id: string, containerId: string, signal: AbortSignal): Promise<void>;
  /** False = there is none. */
  removeNetwork(id: string, signal: AbortSignal): Promise<boolean>;
  /** Idempotent: a volume of this name that is there already is returned. */
  createVolume(config: VolumeConfig, signal: AbortSignal): Promise<VolumeInfo>;
  inspectVolume(name: string, signal: AbortSignal): Promise<VolumeInfo | undefined>;
  listVolumes(options: { readonly filters: Filters }, signal: AbortSignal): Promise<readonly VolumeInfo[]>;
  /** False = there is none (not with `force`). @throws DaemonError `conflict` while a container uses it. */
  removeVolume(name: string, options: { readonly force: boolean }, signal: AbortSignal): Promise<boolean>;
  /** Sizes of images and volumes. Slow on a full disk. */
  diskUsage(signal: AbortSignal): Promise<DiskUsage>;
}
