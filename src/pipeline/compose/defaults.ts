import type { Problems } from '../problems.ts';
import { fillIn } from '../yaml/merge.ts';
import { type MapEntry, type MapNode, map, valueOf } from '../yaml/nodes.ts';
import { entryProblem, fieldsOf, stringsOf } from '../yaml/reader.ts';

export const DEFAULT_KEYS: ReadonlySet<string> = new Set([
  'after_script',
  'artifacts',
  'before_script',
  'cache',
  'hooks',
  'id_tokens',
  'image',
  'interruptible',
  'retry',
  'services',
  'tags',
  'timeout',
  'identity',
]);

/** Deprecated at the root: they mean the same as under `default`. */
const ROOT_SYNONYMS = ['image', 'services', 'cache', 'before_script', 'after_script'] as const;

/** The `default` map, together with the same keys written at the root (spec local-pipeline.md §2, §2.2). */
export function readDefaults(root: MapNode, problems: Problems): MapNode {
  const node = valueOf(root, 'default') ?? map([], root.at);
  const fields = fieldsOf({ node, location: 'default', problems }, DEFAULT_KEYS);
  const own = fields?.node ?? map([], root.at);
  const synonyms: MapEntry[] = [];
  for (const key of ROOT_SYNONYMS) {
    const entry = root.entries.get(key);
    if (entry === undefined || valueOf(root, key) === undefined) continue;
    if (valueOf(own, key) !== undefined)
      problems.add(`${key} is defined in top-level and \`default:\` entry`, entry.keyAt);
    synonyms.push(entry);
  }
  return fillIn(own, synonyms);
}

/** The job with the defaults it does not set itself, as far as its `inherit:default` lets them in. */
export function applyDefaults(job: MapNode, defaults: MapNode, location: string, problems: Problems): MapNode {
  if (defaults.entries.size === 0) return job;
  const allowed = inheritedDefaults(job, location, problems);
  return fillIn(
    job,
    defaults.entries.values().filter((entry) => allowed(entry.key)),
  );
}

function inheritedDefaults(job: MapNode, location: string, problems: Problems): (key: string) => boolean {
  const inherit = valueOf(job, 'inherit');
  const value = inherit?.kind === 'map' ? valueOf(inherit, 'default') : undefined;
  if (value === undefined) return () => true;
  const entry = { node: value, location: `${location}:inherit:default`, problems };
  if (value.kind === 'scalar' && value.type === 'boolean') return () => value.text === 'true';
  const names = stringsOf(value);
  if (names === undefined) {
    entryProblem(entry, 'should be a boolean value or an array of strings');
    return () => true;
  }
  const unknown = names.filter((name) => !DEFAULT_KEYS.has(name));
  if (unknown.length > 0) entryProblem(entry, `contains unknown values: ${unknown.join(', ')}`);
  return (key) => names.includes(key);
}
