import { posix } from 'node:path';
import { shortToken } from '../variables/short-token.ts';
import type { PlanContext } from './plan-context.ts';

/** What a name in a store is made of. */
export interface CacheName {
  readonly storage: string;
  /** Hashed names have a folder of their first two digits, so that a store can spread them. */
  readonly isHashed: boolean;
}

/**
 * Name of a cache's object in the runner's store (spec cache-artifacts.md §6.3); undefined = the key leads out of the
 * project's folder. A slash that the configured prefix begins with is kept: the store knows whether it counts.
 */
export function cacheObject({ storage, isHashed }: CacheName, { runner, payload }: PlanContext): string | undefined {
  const { path, shared } = runner.cache;
  const owner = shared ? '' : posix.join('runner', shortToken(runner.token));
  const folder = posix.join(path, owner, 'project', String(payload.job_info.project_id));
  const object = posix.join(folder, isHashed ? storage.slice(0, 2) : '', storage);
  return object.startsWith(`${folder}/`) ? object : undefined;
}
