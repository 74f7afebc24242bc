/**
 * Marks that a stage script writes where one command ends and the next begins, so that its two output streams can be put
 * in order. They are stripped before anything else sees the output.
 *
 * Form: `\x1e` + output mark + `:` + decimal sequence + `:b` or `:o` + `\x1e`; the output mark is random text of the job
 * (`ScriptOptions.outputMark`) without `\x1e`, the sequence grows within a stage. `b` = the same mark is also written to
 * the other stream, `o` = only to this one.
 */
const SEPARATOR = 0x1e;
const COLON = 0x3a;
const DIGIT_ZERO = 0x30;
const DIGIT_NINE = 0x39;
const LETTER_B = 0x62;
const LETTER_O = 0x6f;

/** Longest sequence number, so that a begun mark cannot grow without end. */
const LONGEST_NUMBER = 15;

export type MarkStreams = 'both' | 'only';

export interface BoundaryMark {
  readonly sequence: number;
  readonly streams: MarkStreams;
}

/** The bytes of a mark, as text. A POSIX script writes it by `printf '\036MARK:N:b\036'`. */
export function boundaryMark(outputMark: string, sequence: number, streams: MarkStreams): string {
  return `\x1e${outputMark}:${sequence}:${streams === 'both' ? 'b' : 'o'}\x1e`;
}

type Found =
  | { readonly kind: 'mark'; readonly mark: BoundaryMark; readonly end: number }
  /** The bytes end inside of what may be a mark. */
  | { readonly kind: 'begun' }
  | { readonly kind: 'none' };

/** Reads marks out of bytes. */
export class BoundaryMarkParser {
  readonly #opening: Buffer;

  constructor(outputMark: string) {
    this.#opening = Buffer.from(`\x1e${outputMark}:`);
  }

  /** The first position from `from` on where a mark may begin; the length if there is none. */
  search(bytes: Buffer, from: number): number {
    const found = bytes.indexOf(SEPARATOR, from);
    return found < 0 ? bytes.length : found;
  }

  /** What is at a position that `search` gave. */
  read(bytes: Buffer, start: number): Found {
    const opening = this.#opening;
    const available = Math.min(opening.length, bytes.length - start);
    if (opening.compare(bytes, start, start + available, 0, available) !== 0) return { kind: 'none' };
    let index = start + opening.length;
    let sequence = 0;
    const digitsFrom = index;
    while (index < bytes.length && isDigit(bytes[index] as number) && index - digitsFrom < LONGEST_NUMBER) {
      sequence = sequence * 10 + ((bytes[index++] as number) - DIGIT_ZERO);
    }
    if (index >= bytes.length) return { kind: 'begun' };
    if (index === digitsFrom || bytes[index] !== COLON) return { kind: 'none' };
    const letter = bytes[index + 1];
    if (letter === undefined) return { kind: 'begun' };
    if (letter !== LETTER_B && letter !== LETTER_O) return { kind: 'none' };
    if (index + 2 >= bytes.length) return { kind: 'begun' };
    if (bytes[index + 2] !== SEPARATOR) return { kind: 'none' };
    return { kind: 'mark', mark: { sequence, streams: letter === LETTER_B ? 'both' : 'only' }, end: index + 3 };
  }
}

function isDigit(byte: number): boolean {
  return byte >= DIGIT_ZERO && byte <= DIGIT_NINE;
}
