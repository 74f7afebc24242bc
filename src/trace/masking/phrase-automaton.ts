import { PairSkip } from './pair-skip.ts';
import { PhraseTrie, ROOT } from './phrase-trie.ts';
import { TransitionTable } from './transition-table.ts';

export { ROOT };

/**
 * Finds all occurrences of many phrases in one pass (Aho-Corasick). All streams of a job share one.
 *
 * State after some bytes = the longest end of them that begins a phrase; `label(state)` gives that text back.
 */
export class PhraseAutomaton {
  /** Per state: length of the longest phrase that ends here, 0 = none. */
  readonly matchLength: Int32Array;
  /** Per state: number of bytes of its label. */
  readonly depth: Int32Array;
  /** Per state: the longest end of its label that can still grow into a phrase. */
  readonly live: Int32Array;
  readonly #phrases: readonly Buffer[];
  readonly #trie: PhraseTrie;
  readonly #fail: Int32Array;
  readonly #table: TransitionTable | undefined;
  #skip: PairSkip | undefined;

  /** `phrases` must not hold empty ones. */
  constructor(phrases: readonly Buffer[]) {
    this.#phrases = phrases;
    this.#trie = new PhraseTrie(phrases);
    this.depth = this.#trie.depth;
    const { nodes, fail, matchLength, live } = link(this.#trie);
    this.#fail = fail;
    this.matchLength = matchLength;
    this.live = live;
    this.#table = TransitionTable.of(this.#trie, nodes, fail);
  }

  /** The state after one more byte. */
  step(state: number, byte: number): number {
    return this.#table === undefined ? walk(this.#trie, this.#fail, state, byte) : this.#table.step(state, byte);
  }

  /**
   * Where to go on in state ROOT: no phrase starts in `[from, answer)`, not even one that goes on after the end of
   * `bytes`.
   */
  skip(bytes: Uint8Array, from: number): number {
    this.#skip ??= new PairSkip(this.#phrases);
    return this.#skip.next(bytes, from);
  }

  /** The bytes that a state stands for. */
  label(state: number): Buffer {
    const phrase = this.#phrases[this.#trie.phraseOf[state] as number];
    return phrase === undefined ? Buffer.alloc(0) : phrase.subarray(0, this.depth[state]);
  }

  /** The state whose label is the longest end of `bytes` that begins a phrase. */
  stateOf(bytes: Uint8Array): number {
    let state = ROOT;
    for (const byte of bytes) state = this.step(state, byte);
    return this.live[state] as number;
  }
}

interface Links {
  /** All nodes in the order of their depth. */
  readonly nodes: Int32Array;
  /** Per node: the node of the longest shorter end of its label. */
  readonly fail: Int32Array;
  readonly matchLength: Int32Array;
  readonly live: Int32Array;
}

/** Breadth first: the links of a node need those of shorter labels. */
function link(trie: PhraseTrie): Links {
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
function walk(trie: PhraseTrie, fail: Int32Array, start: number, byte: number): number {
  let from = start;
  for (;;) {
    const next = trie.child(from, byte);
    if (next !== ROOT || from === ROOT) return next;
    from = fail[from] as number;
  }
}
