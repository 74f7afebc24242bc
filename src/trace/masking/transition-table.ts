import type { AutomatonLinks } from './automaton-links.ts';
import { type PhraseTrie, ROOT } from './phrase-trie.ts';

const LARGEST_TABLE = 1 << 17;

/** Set in an entry whose state ends a phrase. */
const ENDS_PHRASE = 0x8000;
const STATE_BITS = 0x7fff;

/**
 * All transitions of an automaton, ready made: one look-up a byte. Bytes that occur in no phrase share one column, which
 * keeps it small; too large automata do without.
 */
export class TransitionTable {
  readonly #columnOf: Uint8Array;
  readonly #shift: number;
  readonly #next: Uint16Array;
  /** Where the last `run` ended. */
  reached = ROOT;

  private constructor(columnOf: Uint8Array, shift: number, next: Uint16Array) {
    this.#columnOf = columnOf;
    this.#shift = shift;
    this.#next = next;
  }

  /** `undefined` = it would be too large. */
  static of(
    trie: PhraseTrie,
    { nodes, fail, matchLength }: Pick<AutomatonLinks, 'nodes' | 'fail' | 'matchLength'>,
  ): TransitionTable | undefined {
    const { columnOf, columns } = columnsOf(trie, nodes);
    const shift = Math.ceil(Math.log2(columns));
    if (trie.size << shift > LARGEST_TABLE || trie.size > STATE_BITS) return undefined;
    const next = new Uint16Array(trie.size << shift);
    for (const node of nodes) {
      const row = node << shift;
      if (node !== ROOT) {
        const shorter = (fail[node] as number) << shift;
        next.copyWithin(row, shorter, shorter + (1 << shift));
      }
      for (const [byte, child] of trie.children(node)) {
        next[row + (columnOf[byte] as number)] = (matchLength[child] as number) > 0 ? child | ENDS_PHRASE : child;
      }
    }
    return new TransitionTable(columnOf, shift, next);
  }

  step(state: number, byte: number): number {
    return (this.#next[(state << this.#shift) | (this.#columnOf[byte] as number)] as number) & STATE_BITS;
  }

  /**
   * Steps over `bytes` from `from` on, one byte at least: to the end, to the end of a phrase, or from `mayStopAt` on to
   * state ROOT. @returns the position behind the last step; `reached` is the state there.
   */
  run(state: number, bytes: Uint8Array, from: number, mayStopAt: number): number {
    const next = this.#next;
    const columnOf = this.#columnOf;
    const shift = this.#shift;
    const length = bytes.length;
    let entry = state;
    let index = from;
    do {
      entry = next[(entry << shift) | (columnOf[bytes[index++] as number] as number)] as number;
    } while (index < length && entry < ENDS_PHRASE && (entry !== ROOT || index < mayStopAt));
    this.reached = entry & STATE_BITS;
    return index;
  }
}

function columnsOf(trie: PhraseTrie, nodes: Int32Array): { columnOf: Uint8Array; columns: number } {
  const isUsed = new Uint8Array(256);
  for (const node of nodes) {
    for (const [byte] of trie.children(node)) isUsed[byte] = 1;
  }
  const columnOf = new Uint8Array(256);
  let columns = 1;
  for (let byte = 0; byte < 256; byte++) {
    // With all 256 bytes in use the last one takes the column of "other", which nobody else needs then.
    if (isUsed[byte] === 1) columnOf[byte] = columns++ & 0xff;
  }
  return { columnOf, columns: Math.min(Math.max(columns, 2), 256) };
}
