import { createHash } from 'node:crypto';
import type { Repository } from './context.ts';
import { globMatcher, isGlob } from './glob.ts';
import type { CacheConfig, CacheKey } from './keywords/cache.ts';

/** How the keys of a pipeline's caches are made. */
export interface CacheKeyFacts {
  readonly repository: Repository;
  readonly isProtected: boolean;
  /** Append `-protected` or `-non_protected`. */
  readonly separate: boolean;
  readonly objectFormat: 'sha1' | 'sha256';
}

/** A cache's keys as the payload has them; variables in them are the runner's to expand. */
export interface CacheKeys {
  readonly key: string;
  readonly fallbackKeys: readonly string[];
}

/**
 * Computes cache keys as GitLab does (spec local-pipeline.md §9.4). Files are hashed as they are in the working tree,
 * in the form of git blobs, so that a clean tree gives the key the server would.
 */
export class CacheKeyMaker {
  readonly #facts: CacheKeyFacts;
  readonly #digests = new Map<string, Promise<string>>();

  constructor(facts: CacheKeyFacts) {
    this.#facts = facts;
  }

  /** `index` is the position in the job's list of caches. */
  async keysOf(cache: CacheConfig, index: number): Promise<CacheKeys> {
    const suffix = this.#suffix(cache);
    return {
      key: `${await this.#text(cache.key, index)}${suffix}`,
      fallbackKeys: cache.fallbackKeys.map((key) => `${key}${suffix}`),
    };
  }

  #suffix(cache: CacheConfig): string {
    if (!this.#facts.separate) return '';
    return this.#facts.isProtected && !cache.unprotect ? '-protected' : '-non_protected';
  }

  async #text(key: CacheKey, index: number): Promise<string> {
    if (key.kind === 'text') return key.text;
    return `${key.prefix ?? defaultPrefix(key, index)}-${await this.#digest(key.kind, key.files)}`;
  }

  #digest(kind: 'files' | 'files_commits', files: readonly string[]): Promise<string> {
    const id = JSON.stringify([kind, files]);
    const known = this.#digests.get(id);
    if (known !== undefined) return known;
    const digest = this.#computeDigest(kind, files);
    this.#digests.set(id, digest);
    return digest;
  }

  async #computeDigest(kind: 'files' | 'files_commits', files: readonly string[]): Promise<string> {
    const ids = new Set<string>();
    for (const path of await this.#existing(files)) {
      const id = kind === 'files' ? await this.#blobId(path) : await this.#commitOrBlobId(path);
      if (id !== undefined) ids.add(id);
    }
    if (ids.size === 0) return 'default';
    return createHash('sha1')
      .update([...ids].toSorted().join('-'))
      .digest('hex');
  }

  async #existing(files: readonly string[]): Promise<readonly string[]> {
    const paths = files.map((file) => file.replace(/^\/+/, ''));
    if (!paths.some(isGlob)) return paths;
    const all = await this.#facts.repository.list();
    return paths.flatMap((path) => (isGlob(path) ? all.filter(globMatcher(path)) : [path]));
  }

  async #commitOrBlobId(path: string): Promise<string | undefined> {
    return (await this.#facts.repository.lastCommit(path)) ?? (await this.#blobId(path));
  }

  async #blobId(path: string): Promise<string | undefined> {
    const content = await this.#facts.repository.read(path);
    if (content === undefined) return undefined;
    return createHash(this.#facts.objectFormat).update(`blob ${content.byteLength}\0`).update(content).digest('hex');
  }
}

function defaultPrefix(key: Extract<CacheKey, { readonly files: readonly string[] }>, index: number): string {
  if (key.kind !== 'files') return String(index);
  return `${index}_${key.files.map((file) => file.split('.')[0] ?? '').join('_')}`;
}
