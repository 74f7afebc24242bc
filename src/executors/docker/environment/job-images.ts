import type { ImageInfo } from '../api/answers.ts';

/** An image that is there, ready for a container. */
export interface ResolvedImage {
  /** For a container's `Image`. */
  readonly reference: string;
  readonly id: string;
  /** TCP ports that it exposes, ascending. */
  readonly tcpPorts: readonly number[];
  /** Account of its processes; empty = root. */
  readonly user: string;
  readonly environment: readonly string[];
  /** `linux/arm64` where one was asked for; else empty. */
  readonly platform: string;
}

export interface WantedImage {
  /** Expanded where it is the job's; as written where it is the configuration's. */
  readonly name: string;
  readonly kind: 'image' | 'service';
  /** As the job asks for it; empty = the runner's. */
  readonly pullPolicies: readonly string[];
  readonly platform: string;
}

/** Brings the images of one job, if it may use them. The calls may run at the same time. */
export interface JobImages {
  resolve(wanted: WantedImage, signal: AbortSignal): Promise<ResolvedImage>;
  /** The helper's image. */
  helper(signal: AbortSignal): Promise<ResolvedImage>;
}

/** What containers need to know of an image. */
export function resolvedImage(info: ImageInfo, platform: string): ResolvedImage {
  const ports = (info.Config?.ExposedPorts ?? []).filter((port) => port.endsWith('/tcp'));
  return {
    reference: info.RepoDigests[0] ?? info.Id,
    id: info.Id,
    tcpPorts: ports.map((port) => Number.parseInt(port, 10)).toSorted((a, b) => a - b),
    user: info.Config?.User ?? '',
    environment: info.Config?.Env ?? [],
    platform,
  };
}
