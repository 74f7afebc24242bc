import { type AutomatonLinks, linkNodes, walk } from './automaton-links.ts';
import { PairSkip } from './pair-skip.ts';
import { PhraseTrie, ROOT } from './phrase-trie.ts';
import { TransitionTable } from './transition-table.ts';

export { ROOT };

/** Steps after which a table of all transitions pays; jobs with little output do without its memory. */
const TABLE_PAYS_AFTER = 20_000;

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
  readonly #links: AutomatonLinks;
  readonly #tableAfterSteps: number;
  #table: TransitionTable | undefined;
  #stepsWithoutTable = 0;
  #skip: PairSkip | undefined;
  /** Where the last `run` ended. */
  reached = ROOT;

  /** `phrases` must not hold empty ones; `tableAfterSteps` steps are done before a table is made, of each kind. */
  constructor(phrases: readonly Buffer[], tableAfterSteps = TABLE_PAYS_AFTER) {
    this.#tableAfterSteps = tableAfterSteps;
    this.#phrases = phrases;
    this.#trie = new PhraseTrie(phrases);
    this.depth = this.#trie.depth;
    this.#links = linkNodes(this.#trie);
    this.matchLength = this.#links.matchLength;
    this.live = this.#links.live;
  }

  /** The state after one more byte. */
  step(state: number, byte: number): number {
    return this.#table === undefined ? this.#stepWithoutTable(state, byte) : this.#table.step(state, byte);
  }

  /**
   * Steps over `bytes` from `from` on, one byte at least: to the end, to the end of a phrase, or from `mayStopAt` on to
   * state ROOT, or less. @returns the position behind the last step; `reached` is the state there.
   */
  run(state: number, bytes: Uint8Array, from: number, mayStopAt: number): number {
    if (this.#table === undefined) {
      this.reached = this.#stepWithoutTable(state, bytes[from] as number);
      return from + 1;
    }
    const end = this.#table.run(state, bytes, from, mayStopAt);
    this.reached = this.#table.reached;
    return end;
  }

  /**
   * Where to go on in state ROOT: no phrase starts in `[from, answer)`, not even one that goes on after the end of
   * `bytes`.
   */
  skip(bytes: Uint8Array, from: number): number {
    this.#skip ??= new PairSkip(this.#phrases, this.#tableAfterSteps);
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

  #stepWithoutTable(state: number, byte: number): number {
    if (++this.#stepsWithoutTable === this.#tableAfterSteps) {
      this.#table = TransitionTable.of(this.#trie, this.#links);
    }
    return walk(this.#trie, this.#links.fail, state, byte);
  }
}
