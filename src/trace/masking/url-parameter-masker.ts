import * as z from 'zod';
import { asBuffer, type ByteLayer, fromBase64, NO_BYTES, toBase64 } from '../byte-layer.ts';
import { ByteWriter } from '../byte-writer.ts';
import { MASK } from './mask.ts';
import { PhraseAutomaton, ROOT } from './phrase-automaton.ts';

const SECRET_PARAMETERS = [
  'private_token',
  'authenticity_token',
  'rss_token',
  'x-amz-signature',
  'x-amz-credential',
  'x-amz-security-token',
];

const QUESTION_MARK = 0x3f;
const AMPERSAND = 0x26;
const BLANK = 0x20;
const DELETE = 0x7f;

const lowerCaseOf = lowerCaseTable();

export const urlParameterMaskerStateSchema = z.object({
  /** What was read of a parameter's beginning that may still become a secret one, in lower case. */
  begun: z.string(),
  inValue: z.boolean(),
});
export type UrlParameterMaskerState = z.output<typeof urlParameterMaskerStateSchema>;

/** Finds what stands before a secret value: `?private_token=`, `&private_token=`, … in lower case. */
export function createSecretParameterAutomaton(): PhraseAutomaton {
  return new PhraseAutomaton(SECRET_PARAMETERS.flatMap((name) => [Buffer.from(`?${name}=`), Buffer.from(`&${name}=`)]));
}

/**
 * Masks the values of secret URL parameters (spec job-execution.md §12). Names stay, so nothing is ever held back; the
 * mark is written as soon as a value can begin, also for an empty one.
 */
export class UrlParameterMasker implements ByteLayer {
  readonly #automaton: PhraseAutomaton;
  #state = ROOT;
  #inValue = false;

  /** `automaton` as made by `createSecretParameterAutomaton`. */
  constructor(automaton: PhraseAutomaton, state?: UrlParameterMaskerState) {
    this.#automaton = automaton;
    if (state === undefined) return;
    this.#state = automaton.stateOf(fromBase64(state.begun));
    this.#inValue = state.inValue;
  }

  write(input: Uint8Array): Uint8Array {
    const bytes = asBuffer(input);
    const length = bytes.length;
    const automaton = this.#automaton;
    const { matchLength } = automaton;
    const finder = new ParameterFinder(bytes);
    let index = this.#inValue ? endOfValue(bytes, 0) : 0;
    let inValue = this.#inValue && index === length;
    let state = this.#state;
    let writer: ByteWriter | undefined;
    let shownFrom = index;
    while (index < length) {
      if (state === ROOT) {
        index = finder.next(index);
        if (index >= length) break;
      }
      state = automaton.step(state, lowerCaseOf[bytes[index++] as number] as number);
      if (matchLength[state] === 0) continue;
      state = ROOT;
      writer ??= new ByteWriter(length + MASK.length);
      writer.copy(bytes, shownFrom, index);
      writer.copy(MASK);
      index = endOfValue(bytes, index);
      shownFrom = index;
      inValue = index === length;
    }
    this.#state = state;
    this.#inValue = inValue;
    if (writer === undefined) return shownFrom === 0 ? input : bytes.subarray(shownFrom);
    writer.copy(bytes, shownFrom);
    return writer.take();
  }

  flush(): Uint8Array {
    this.#state = ROOT;
    this.#inValue = false;
    return NO_BYTES;
  }

  snapshot(): UrlParameterMaskerState {
    return { begun: toBase64(this.#automaton.label(this.#state)), inValue: this.#inValue };
  }
}

/** Where parameters begin; remembers the next place of either sign, so each is searched once. */
class ParameterFinder {
  readonly #bytes: Buffer;
  #question = -1;
  #ampersand = -1;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The first `?` or `&` from `from` on, else the length. */
  next(from: number): number {
    if (this.#question < from) this.#question = this.#find(QUESTION_MARK, from);
    if (this.#ampersand < from) this.#ampersand = this.#find(AMPERSAND, from);
    return Math.min(this.#question, this.#ampersand);
  }

  #find(sign: number, from: number): number {
    const found = this.#bytes.indexOf(sign, from);
    return found < 0 ? this.#bytes.length : found;
  }
}

function endOfValue(bytes: Uint8Array, from: number): number {
  let index = from;
  while (index < bytes.length && !endsValue(bytes[index] as number)) index++;
  return index;
}

function endsValue(byte: number): boolean {
  return byte <= BLANK || byte === DELETE || byte === QUESTION_MARK || byte === AMPERSAND;
}

function lowerCaseTable(): Uint8Array {
  const table = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  for (const letter of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ')) table[letter] = letter | 0x20;
  return table;
}
