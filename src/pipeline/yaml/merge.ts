import { isNull, type MapEntry, type MapNode, map, type YamlNode } from './nodes.ts';

/**
 * GitLab's deep merge: maps merge key by key, anything else on the right replaces the left
 * (spec local-pipeline.md §4.1). Every node keeps its place.
 */
export function deepMerge(left: MapNode, right: MapNode): MapNode {
  if (left.entries.size === 0) return right;
  if (right.entries.size === 0) return left;
  const entries = new Map<string, MapEntry>(left.entries);
  for (const [key, entry] of right.entries) {
    const before = entries.get(key);
    entries.set(key, before === undefined ? entry : { ...entry, value: mergeValues(before.value, entry.value) });
  }
  return map(entries.values(), right.at);
}

function mergeValues(left: YamlNode, right: YamlNode): YamlNode {
  return left.kind === 'map' && right.kind === 'map' ? deepMerge(left, right) : right;
}

/** Adds the entries of `defaults` that `own` does not have; a null of `own` counts as not having it. */
export function fillIn(own: MapNode, defaults: Iterable<MapEntry>): MapNode {
  const entries = new Map(own.entries);
  let changed = false;
  for (const entry of defaults) {
    const before = entries.get(entry.key);
    if (before !== undefined && !isNull(before.value)) continue;
    entries.set(entry.key, entry);
    changed = true;
  }
  return changed ? map(entries.values(), own.at) : own;
}
