import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { isAbsolutePath } from '../script/paths.ts';
import { expandText } from '../variables/expand.ts';
import { cacheObject } from './cache-object.ts';
import type { PlanContext } from './plan-context.ts';

/** A cache's names (spec cache-artifacts.md §6). */
export interface CacheKey {
  /** As shown to the user and kept in the archive's metadata. */
  readonly human: string;
  /** Name of the archive's folder, and of the remote object. */
  readonly storage: string;
  /** Local archive, as the helper finds it from the project directory. */
  readonly archive: string;
  /** Where the archive would be with the opposite setting of FF_HASH_CACHE_KEYS; undefined = nowhere. */
  readonly alternateArchive: string | undefined;
  /** Object in the runner's store; undefined = the key makes none. */
  readonly object: string | undefined;
  readonly alternateObject: string | undefined;
}

export interface CacheKeyResult {
  readonly key: CacheKey | undefined;
  readonly warning: string | undefined;
  /** Why there is no key. */
  readonly problem: string | undefined;
}

/** Makes the names of a cache from its key as written; an empty one means job name and ref. */
export function resolveCacheKey(written: string, context: PlanContext): CacheKeyResult {
  const { payload, lookup } = context;
  const raw =
    written === ''
      ? posix.join('/', payload.job_info.name, payload.git_info.ref).slice(1)
      : expandText(written, lookup);
  const isHashed = context.isOn('FF_HASH_CACHE_KEYS');
  const sanitized = sanitizeCacheKey(raw);
  const human = isHashed ? raw : sanitized;
  const warning = isHashed ? undefined : sanitizingWarning(raw, sanitized);
  if (human === '') return { key: undefined, warning, problem: 'empty cache key' };
  const storage = isHashed ? sha256(human) : human;
  const archive = archivePath(storage, context);
  if (archive === undefined) return { key: undefined, warning, problem: relativeProblem };
  const alternate = isHashed ? sanitized : sha256(human);
  const alternateArchive = alternate === '' ? undefined : archivePath(alternate, context);
  const object = cacheObject({ storage, isHashed }, context);
  const alternateObject =
    alternate === '' ? undefined : cacheObject({ storage: alternate, isHashed: !isHashed }, context);
  return {
    key: { human, storage, archive, alternateArchive, object, alternateObject },
    warning,
    problem: undefined,
  };
}

const relativeProblem =
  'inability to make the cache file path relative to the build directory (is the build directory absolute?)';

function sanitizingWarning(raw: string, sanitized: string): string | undefined {
  if (sanitized === '') return `cache key ${JSON.stringify(raw)} could not be sanitized`;
  if (sanitized === raw) return undefined;
  return `cache key ${JSON.stringify(raw)} sanitized to ${JSON.stringify(sanitized)}`;
}

/**
 * A key that is a path below its folder: separators in all their spellings count, nothing leads out of the folder.
 * Empty = nothing is left. Trimming can make a new `..`, so it is done until nothing changes.
 */
export function sanitizeCacheKey(raw: string): string {
  let key = raw.replaceAll(/%2f/gi, '/').replaceAll(/%2e/gi, '.').replaceAll('\\', '/');
  for (;;) {
    const cleaned = trimLastSegments(posix.join('/', key).slice(1));
    if (cleaned === key) return cleaned;
    key = cleaned;
  }
}

function trimLastSegments(path: string): string {
  const segments = path.split('/');
  while (segments.length > 0) {
    const last = (segments.pop() ?? '').trimEnd();
    if (last !== '') return [...segments, last].join('/');
  }
  return '';
}

function archivePath(storageKey: string, { directories, isOn }: PlanContext): string | undefined {
  const file = posix.join(directories.cache, storageKey, 'cache.zip');
  if (isOn('FF_USE_POWERSHELL_PATH_RESOLVER')) return file;
  if (isAbsolutePath(file) !== isAbsolutePath(directories.project)) return undefined;
  return posix.relative(directories.project, file);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
