import type { YamlNode } from '../yaml/nodes.ts';
import type { Entry } from '../yaml/reader.ts';

/** Results by keyword and node: a value shared by many jobs is read, and complained about, once. */
export class KeywordMemo {
  readonly #known = new Map<string, Map<YamlNode, unknown>>();

  read<T>(keyword: string, entry: Entry | undefined, read: (entry: Entry) => T): T | undefined {
    if (entry === undefined) return undefined;
    let nodes = this.#known.get(keyword);
    if (nodes === undefined) {
      nodes = new Map();
      this.#known.set(keyword, nodes);
    }
    if (!nodes.has(entry.node)) nodes.set(entry.node, read(entry));
    return nodes.get(entry.node) as T;
  }
}
