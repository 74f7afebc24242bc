import * as z from 'zod';
import { type ByteLayer, fromBase64, toBase64 } from '../byte-layer.ts';
import { ByteWriter } from '../byte-writer.ts';
import { MASK } from './mask.ts';
import { type PhraseAutomaton, ROOT } from './phrase-automaton.ts';

/** Where a skip gains less than this, the next bytes are read one by one. */
const SHORT_SKIP = 4;
const RUN_WITHOUT_SKIP = 64;

export const phraseMaskerStateSchema = z.object({ held: z.string(), chains: z.array(z.number().int()) });
export type PhraseMaskerState = z.output<typeof phraseMaskerStateSchema>;

/**
 * Replaces masked values. Each chain of overlapping occurrences of any of them becomes one mark; occurrences that only
 * touch keep a mark each. Only bytes that may still belong to an occurrence are held back.
 *
 * Positions count from the start of the present write, bytes of earlier writes have negative ones. Bytes held back are
 * always exactly the label of the automaton's state, so they need no memory of their own.
 */
export class PhraseMasker implements ByteLayer {
  readonly #automaton: PhraseAutomaton;
  #state = ROOT;
  /** Undecided chains in order, flat: start, end, start, end, … Two neighbours may touch, never overlap. */
  #chains: number[] = [];

  constructor(automaton: PhraseAutomaton, state?: PhraseMaskerState) {
    this.#automaton = automaton;
    if (state === undefined) return;
    this.#state = automaton.stateOf(fromBase64(state.held));
    this.#chains = [...state.chains];
  }

  write(bytes: Uint8Array): Uint8Array {
    if (this.#state === ROOT) {
      const start = this.#automaton.skip(bytes, 0);
      if (start >= bytes.length) return bytes;
      return this.#mask(bytes, start);
    }
    return this.#mask(bytes, 0);
  }

  flush(): Uint8Array {
    const output = new Output(this.#automaton.label(this.#state), new Uint8Array(0));
    output.settle(this.#chains, 0);
    this.#chains = [];
    this.#state = ROOT;
    return output.take(0);
  }

  snapshot(): PhraseMaskerState {
    return { held: toBase64(this.#automaton.label(this.#state)), chains: [...this.#chains] };
  }

  #mask(bytes: Uint8Array, start: number): Uint8Array {
    const automaton = this.#automaton;
    const { matchLength, live, depth } = automaton;
    const output = new Output(automaton.label(this.#state), bytes);
    const chains = this.#chains;
    const length = bytes.length;
    let state = this.#state;
    let index = start;
    let skipAgainAt = 0;
    while (index < length) {
      index = automaton.run(state, bytes, index, skipAgainAt);
      state = automaton.reached;
      const matched = matchLength[state] as number;
      if (matched > 0) addOccurrence(chains, index - matched, index);
      state = live[state] as number;
      if (state === ROOT) {
        if (chains.length > 0) output.settle(chains, index);
        if (index >= skipAgainAt) {
          const reached = automaton.skip(bytes, index);
          if (reached - index < SHORT_SKIP) skipAgainAt = index + RUN_WITHOUT_SKIP;
          index = reached;
        }
      }
    }
    const undecided = length - (depth[state] as number);
    output.settle(chains, undecided);
    if (chains.length > 0) chains[0] = output.stopAt(chains[0] as number, undecided);
    for (let at = 0; at < chains.length; at++) chains[at] = (chains[at] as number) - length;
    this.#state = state;
    return output.take(undecided);
  }
}

/** Joins an occurrence with the chains that it overlaps. Occurrences come in the order of their ends. */
function addOccurrence(chains: number[], start: number, end: number): void {
  let chainStart = start;
  while (chains.length > 0 && (chains[chains.length - 1] as number) > start) {
    chains.pop();
    chainStart = Math.min(chainStart, chains.pop() as number);
  }
  chains.push(chainStart, end);
}

/** The answer of one write, put together from bytes held before, bytes of this write, and marks. */
class Output {
  readonly #held: Uint8Array;
  readonly #bytes: Uint8Array;
  #writer: ByteWriter | undefined;
  #position: number;

  constructor(held: Uint8Array, bytes: Uint8Array) {
    this.#held = held;
    this.#bytes = bytes;
    this.#position = -held.length;
  }

  /** Writes the chains that end by `limit`, and takes them from the list. */
  settle(chains: number[], limit: number): void {
    let done = 0;
    while (done < chains.length && (chains[done + 1] as number) <= limit) {
      this.#copyUntil(chains[done] as number);
      this.#writerNow().copy(MASK);
      this.#position = chains[done + 1] as number;
      done += 2;
    }
    if (done === chains.length) chains.length = 0;
    else if (done > 0) chains.splice(0, done);
  }

  /**
   * Writes the bytes before an unfinished chain; those between `chainStart` and `undecided` are inside it and will never
   * be shown. @returns where the chain starts from now on.
   */
  stopAt(chainStart: number, undecided: number): number {
    this.#copyUntil(Math.min(chainStart, undecided));
    this.#position = undecided;
    return Math.max(chainStart, undecided);
  }

  /** Everything up to `end`. */
  take(end: number): Uint8Array {
    if (this.#writer === undefined && this.#position >= 0) return this.#bytes.subarray(this.#position, end);
    this.#copyUntil(end);
    return this.#writerNow().take();
  }

  #copyUntil(end: number): void {
    if (end <= this.#position) return;
    const held = this.#held;
    const writer = this.#writerNow();
    if (this.#position < 0) writer.copy(held, held.length + this.#position, held.length + Math.min(end, 0));
    if (end > 0) writer.copy(this.#bytes, Math.max(this.#position, 0), end);
    this.#position = end;
  }

  #writerNow(): ByteWriter {
    this.#writer ??= new ByteWriter(this.#held.length + this.#bytes.length);
    return this.#writer;
  }
}
