import type { Problems } from '../problems.ts';
import { deepMerge } from '../yaml/merge.ts';
import { type MapNode, map, valueOf, withoutKeys, type YamlNode } from '../yaml/nodes.ts';
import { isText, stringsOf } from '../yaml/reader.ts';

const MAX_ANCESTORS = 10;

interface Resolved {
  readonly node: MapNode;
  /** Length of the longest chain of parents above. */
  readonly depth: number;
}

/** Resolves `extends` of all top-level maps (spec local-pipeline.md §4.2); the key itself is gone from the result. */
export function resolveExtends(root: MapNode, problems: Problems): MapNode {
  const resolver = new ExtendsResolver(root, problems);
  return map(
    root.entries.values().map((entry) => {
      const resolved = entry.value.kind === 'map' ? resolver.resolve(entry.key, entry.value).node : entry.value;
      return resolved === entry.value ? entry : { ...entry, value: resolved };
    }),
    root.at,
  );
}

class ExtendsResolver {
  readonly #root: MapNode;
  readonly #problems: Problems;
  readonly #done = new Map<string, Resolved>();
  readonly #running = new Set<string>();

  constructor(root: MapNode, problems: Problems) {
    this.#root = root;
    this.#problems = problems;
  }

  resolve(name: string, node: MapNode): Resolved {
    const known = this.#done.get(name);
    if (known !== undefined) return known;
    this.#running.add(name);
    const extend = valueOf(node, 'extends');
    const result =
      extend === undefined ? { node: withoutKeys(node, 'extends'), depth: 0 } : this.#extend(name, node, extend);
    this.#running.delete(name);
    this.#done.set(name, result);
    return result;
  }

  #extend(name: string, node: MapNode, extend: YamlNode): Resolved {
    const own = withoutKeys(node, 'extends');
    const parents = isText(extend) ? [extend.text] : stringsOf(extend);
    if (parents === undefined) {
      this.#problems.add(`jobs:${name} extends should be an array of strings or a string`, extend.at);
      return { node: own, depth: 0 };
    }
    const bases = this.#parents(name, parents, extend);
    if (bases === undefined) return { node: own, depth: 0 };
    const depth = 1 + Math.max(-1, ...bases.map((base) => base.depth));
    if (depth > MAX_ANCESTORS) {
      this.#problems.add(`${name}: nesting too deep in \`extends\``, extend.at);
      return { node: own, depth: 0 };
    }
    const merged = bases
      .map((base) => base.node)
      .reduce<MapNode | undefined>((left, right) => (left === undefined ? right : deepMerge(left, right)), undefined);
    return { node: merged === undefined ? own : { ...deepMerge(merged, own), at: own.at }, depth };
  }

  #parents(name: string, parents: readonly string[], extend: YamlNode): readonly Resolved[] | undefined {
    const values = parents.map((parent) => ({ parent, value: this.#root.entries.get(parent)?.value }));
    const unknown = values.filter((item) => item.value === undefined).map((item) => item.parent);
    if (unknown.length > 0) return this.#refuse(`${name}: unknown keys in \`extends\` (${unknown.join(', ')})`, extend);
    const invalid = values.filter((item) => item.value?.kind !== 'map').map((item) => item.parent);
    if (invalid.length > 0)
      return this.#refuse(`${name}: invalid base hashes in \`extends\` (${invalid.join(', ')})`, extend);
    if (parents.some((parent) => this.#running.has(parent))) {
      return this.#refuse(`${name}: circular dependency detected in \`extends\``, extend);
    }
    return values.flatMap(({ parent, value }) => (value?.kind === 'map' ? [this.resolve(parent, value)] : []));
  }

  #refuse(message: string, extend: YamlNode): undefined {
    this.#problems.add(message, extend.at);
    return undefined;
  }
}
