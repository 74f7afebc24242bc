import type { Problems } from '../problems.ts';
import {
  hasReference,
  isNull,
  list,
  type MapNode,
  map,
  type ReferenceNode,
  textNode,
  type YamlNode,
} from '../yaml/nodes.ts';

const MAX_NODES = 500_000;

/** Replaces every `!reference` by what it points at in the merged configuration (spec local-pipeline.md §4.3). */
export function resolveReferences(root: MapNode, problems: Problems): MapNode {
  if (!root.hasReference) return root;
  const resolver = new ReferenceResolver(root, problems);
  const resolved = resolver.resolve(root);
  if (resolved.kind !== 'map') return root;
  if (expandedSize(resolved, new Map()) <= MAX_NODES) return resolved;
  problems.add('The parsed YAML is too big', root.at);
  return map([], root.at);
}

class ReferenceResolver {
  readonly #root: MapNode;
  readonly #problems: Problems;
  readonly #done = new Map<string, YamlNode>();
  readonly #running = new Set<string>();

  constructor(root: MapNode, problems: Problems) {
    this.#root = root;
    this.#problems = problems;
  }

  resolve(node: YamlNode): YamlNode {
    if (!hasReference(node)) return node;
    if (node.kind === 'reference') return this.#follow(node);
    if (node.kind === 'list') {
      return list(
        node.items.map((item) => this.resolve(item)),
        node.at,
      );
    }
    if (node.kind === 'scalar') return node;
    return map(
      node.entries.values().map((entry) => ({ ...entry, value: this.resolve(entry.value) })),
      node.at,
    );
  }

  #follow(reference: ReferenceNode): YamlNode {
    const name = describe(reference);
    const known = this.#done.get(name);
    if (known !== undefined) return known;
    if (this.#running.has(name)) return this.#refuse(`${name} is part of a circular chain`, reference);
    this.#running.add(name);
    const target = this.#find(reference.path);
    const result =
      target === undefined || isNull(target) || isFalse(target)
        ? this.#refuse(`${name} could not be found`, reference)
        : this.resolve(target);
    this.#running.delete(name);
    this.#done.set(name, result);
    return result;
  }

  #find(path: readonly string[]): YamlNode | undefined {
    let node: YamlNode | undefined = this.#root;
    for (const key of path) {
      if (node?.kind === 'reference') node = this.#follow(node);
      node = node?.kind === 'map' ? node.entries.get(key)?.value : undefined;
    }
    return node;
  }

  #refuse(message: string, reference: ReferenceNode): YamlNode {
    this.#problems.addFatal(message, reference.at);
    return textNode('', reference.at);
  }
}

function describe(reference: ReferenceNode): string {
  return `!reference [${reference.path.map((part) => JSON.stringify(part)).join(', ')}]`;
}

function isFalse(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.type === 'boolean' && node.text === 'false';
}

/** Nodes count as often as they are shared: a few nested references can stand for billions. */
function expandedSize(node: YamlNode, known: Map<YamlNode, number>): number {
  if (node.kind === 'scalar' || node.kind === 'reference') return 1;
  const before = known.get(node);
  if (before !== undefined) return before;
  const children = node.kind === 'list' ? node.items : [...node.entries.values()].map((entry) => entry.value);
  const size = children.reduce((sum, child) => sum + expandedSize(child, known), 1);
  known.set(node, size);
  return size;
}
