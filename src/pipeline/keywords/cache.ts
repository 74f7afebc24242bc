import type { Position } from '../yaml/nodes.ts';
import { type Entry, entryProblem, type Fields, fieldsOf, isText } from '../yaml/reader.ts';
import { UPLOAD_WHEN, type UploadWhen } from './artifacts.ts';

export type CacheKey =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'files' | 'files_commits';
      readonly files: readonly string[];
      readonly prefix: string | undefined;
    };

export interface CacheConfig {
  readonly key: CacheKey;
  readonly paths: readonly string[];
  readonly untracked: boolean;
  readonly policy: string;
  readonly when: UploadWhen;
  readonly unprotect: boolean;
  readonly fallbackKeys: readonly string[];
  readonly at: Position;
}

const KEYS = new Set(['key', 'untracked', 'paths', 'when', 'policy', 'unprotect', 'fallback_keys']);
const KEY_KEYS = new Set(['files', 'files_commits', 'prefix']);
const POLICIES = new Set(['pull', 'push', 'pull-push']);
const MAX_CACHES = 4;
const MAX_FALLBACK_KEYS = 5;
const MAX_KEY_FILES = 2;

/** Reads `cache`: one map or up to four (spec local-pipeline.md §9.4). */
export function readCaches(entry: Entry): readonly CacheConfig[] {
  if (entry.node.kind !== 'list') return [readCache(entry) ?? []].flat();
  if (entry.node.items.length > MAX_CACHES) entryProblem(entry, `no more than ${MAX_CACHES} caches can be created`);
  return entry.node.items.flatMap((node) => readCache({ ...entry, node, location: `${entry.location}:cache` }) ?? []);
}

function readCache(entry: Entry): CacheConfig | undefined {
  const fields = fieldsOf(entry, KEYS, 'should be a hash or an array of hashes');
  if (fields === undefined) return undefined;
  const key = fields.entry('key');
  return {
    key: key === undefined ? DEFAULT_KEY : readKey(key),
    paths: fields.strings('paths') ?? [],
    untracked: fields.boolean('untracked') ?? false,
    policy: readPolicy(fields),
    when: fields.oneOf('when', UPLOAD_WHEN) ?? 'on_success',
    unprotect: fields.boolean('unprotect') ?? false,
    fallbackKeys: readFallbackKeys(fields),
    at: entry.node.at,
  };
}

const DEFAULT_KEY: CacheKey = { kind: 'text', text: 'default' };

function readPolicy(fields: Fields): string {
  const policy = fields.string('policy') ?? 'pull-push';
  if (!POLICIES.has(policy) && !policy.includes('$')) {
    fields.problem('policy', `should be one of: ${[...POLICIES].join(', ')}, or a variable`);
  }
  return policy;
}

function readFallbackKeys(fields: Fields): readonly string[] {
  const keys = fields.strings('fallback_keys') ?? [];
  if (keys.length > MAX_FALLBACK_KEYS) {
    fields.problem('fallback_keys', `has too many entries (maximum ${MAX_FALLBACK_KEYS})`);
  }
  return keys;
}

function readKey(entry: Entry): CacheKey {
  if (entry.node.kind === 'scalar') {
    if (!isText(entry.node) && entry.node.type !== 'integer')
      entryProblem(entry, 'should be a hash, a string or a symbol');
    checkKeyText(entry, entry.node.text);
    return { kind: 'text', text: entry.node.text };
  }
  const fields = fieldsOf(entry, KEY_KEYS, 'should be a hash, a string or a symbol');
  if (fields === undefined) return DEFAULT_KEY;
  if (fields.has('files') === fields.has('files_commits')) {
    entryProblem(entry, 'must use exactly one of these keys: files, files_commits');
    return DEFAULT_KEY;
  }
  const kind = fields.has('files') ? 'files' : 'files_commits';
  const files = fields.strings(kind) ?? [];
  if (fields.has(kind) && files.length === 0) fields.problem(kind, 'requires at least 1 item');
  if (files.length > MAX_KEY_FILES) fields.problem(kind, `has too many items (maximum is ${MAX_KEY_FILES})`);
  const prefix = fields.string('prefix');
  if (prefix !== undefined) checkKeyText({ ...entry, location: `${entry.location}:prefix` }, prefix);
  return { kind, files, prefix };
}

function checkKeyText(entry: Entry, text: string): void {
  const decoded = text.replaceAll(/%2f/gi, '/').replaceAll(/%2e/gi, '.');
  if (decoded.includes('/')) entryProblem(entry, 'cannot contain the "/" character');
  if (decoded === '.' || decoded === '..') entryProblem(entry, 'cannot be "." or ".."');
}
