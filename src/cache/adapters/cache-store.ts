import type { RunnerConfig } from '../../config/runner-config.ts';
import type { Logger } from '../../observability/logger.ts';
import type { ServicePorts } from './service-ports.ts';

/**
 * Where a runner's caches are kept, seen from the manager: it never touches the objects, it gives one job access to
 * one of them (spec cache-artifacts.md §11). Calls may run at the same time.
 */
export interface CacheStore {
  /**
   * Access to one object in one direction, as narrow as the service can make it.
   * @throws MillraceError whose message says what to check; the signal's reason.
   */
  access(object: CacheObject, direction: CacheDirection, signal: AbortSignal): Promise<CacheAccess>;
}

export type CacheDirection = 'download' | 'upload';

export interface CacheObject {
  /** In the bucket; what comes of the runner's prefix may begin with a slash. */
  readonly name: string;
  /** Key of the cache as the user knows it, kept with the object. */
  readonly humanKey: string;
  /** How long access has to last, from now. */
  readonly lifetimeMs: number;
}

export type CacheAccess =
  /** URLs that carry a signature: the job learns no credentials. `headers` go with the upload exactly as given. */
  | {
      readonly kind: 'presigned';
      readonly url: string;
      readonly headUrl: string;
      readonly headers: Readonly<Record<string, string>>;
    }
  /** A URL the helper opens itself, with credentials for this object only in its environment. */
  | {
      readonly kind: 'direct';
      readonly url: string;
      readonly environment: Readonly<Record<string, string>>;
      /** Why there are no credentials: the helper goes on with those of its own environment. */
      readonly problem: string | undefined;
    };

export type CacheSettings = RunnerConfig['cache'];

/** What a store gets to work with. */
export interface CacheStorePorts extends ServicePorts {
  readonly log: Logger;
}

/** @throws ConfigError when a store cannot be made of the settings. */
export type CreateCacheStore = (settings: CacheSettings, ports: CacheStorePorts) => CacheStore;
