import { type PhraseTrie, ROOT } from './phrase-trie.ts';

export interface AutomatonLinks {
  /** All nodes in the order of their depth. */
  readonly nodes: Int32Array;
  /** Per node: the node of the longest shorter end of its label. */
  readonly fail: Int32Array;
  readonly matchLength: Int32Array;
  readonly live: Int32Array;
}

/** Breadth first: the links of a node need those of shorter labels. */
export function linkNodes(trie: PhraseTrie): AutomatonLinks {
  const fail = new Int32Array(trie.size);
  const matchLength = new Int32Array(trie.size);
  const live = new Int32Array(trie.size);
  const nodes = new Int32Array(trie.size);
  let queued = 1;
  for (let head = 0; head < queued; head++) {
    const node = nodes[head] as number;
    for (const [byte, child] of trie.children(node)) {
      const shorter = node === ROOT ? ROOT : walk(trie, fail, fail[node] as number, byte);
      fail[child] = shorter;
      matchLength[child] = trie.isEnd[child] === 1 ? (trie.depth[child] as number) : (matchLength[shorter] as number);
      live[child] = trie.hasChildren(child) ? child : (live[shorter] as number);
      nodes[queued++] = child;
    }
  }
  return { nodes, fail, matchLength, live };
}

/** The child of the node, else of the longest shorter end of its label that has one. */
export function walk(trie: PhraseTrie, fail: Int32Array, start: number, byte: number): number {
  let from = start;
  for (;;) {
    const next = trie.child(from, byte);
    if (next !== ROOT || from === ROOT) return next;
    from = fail[from] as number;
  }
}
