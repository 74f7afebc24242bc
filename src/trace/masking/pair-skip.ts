const BYTE_VALUES = 256;
const LONGEST_WINDOW = 255;
/** Without the table many looks find nothing to skip; they count as so many bytes. */
const COST_OF_A_LOOK = 32;

/**
 * Leaps over text that holds no start of a phrase (Wu-Manber over byte pairs): the last two bytes of a window as long as
 * the shortest phrase tell how far the window can move on. Ordinary log text is passed in steps of several bytes.
 */
export class PairSkip {
  readonly #isFirstByte = new Uint8Array(BYTE_VALUES);
  readonly #window: number;
  readonly #phrases: readonly Uint8Array[];
  /** Per byte pair: how far the window may move; 0 = look closer. */
  #shift: Uint8Array | undefined;
  #bytesUntilTable: number;

  /** @param tableAfterBytes its table takes 64 KiB: one that has not so much to look through does without */
  constructor(phrases: readonly Uint8Array[], tableAfterBytes: number) {
    this.#phrases = phrases;
    this.#bytesUntilTable = tableAfterBytes;
    const shortest = phrases.reduce((length, phrase) => Math.min(length, phrase.length), LONGEST_WINDOW);
    this.#window = phrases.length === 0 ? 0 : shortest;
    for (const phrase of phrases) this.#isFirstByte[phrase[0] as number] = 1;
  }

  /** The first position from `from` on where a phrase may start, `bytes.length` = nowhere. */
  next(bytes: Uint8Array, from: number): number {
    if (this.#window === 0) return bytes.length;
    const shift = this.#window < 2 ? undefined : this.#table();
    const found = this.#firstByteFrom(bytes, shift === undefined ? from : this.#leap(shift, bytes, from));
    this.#bytesUntilTable -= found - from + COST_OF_A_LOOK;
    return found;
  }

  #table(): Uint8Array | undefined {
    if (this.#bytesUntilTable > 0) return undefined;
    this.#shift ??= shiftTable(this.#phrases, this.#window);
    return this.#shift;
  }

  #leap(shift: Uint8Array, bytes: Uint8Array, from: number): number {
    const isFirstByte = this.#isFirstByte;
    const back = this.#window - 1;
    const last = bytes.length - 1;
    let end = from + back;
    while (end <= last) {
      const step = shift[((bytes[end - 1] as number) << 8) | (bytes[end] as number)] as number;
      if (step !== 0) end += step;
      else if (isFirstByte[bytes[end - back] as number] === 1) return end - back;
      else end++;
    }
    return end - back;
  }

  #firstByteFrom(bytes: Uint8Array, from: number): number {
    const isFirstByte = this.#isFirstByte;
    const length = bytes.length;
    let index = from;
    while (index < length && isFirstByte[bytes[index] as number] === 0) index++;
    return Math.min(index, length);
  }
}

function shiftTable(phrases: readonly Uint8Array[], window: number): Uint8Array {
  const table = new Uint8Array(BYTE_VALUES * BYTE_VALUES).fill(window - 1);
  for (const phrase of phrases) {
    for (let index = 0; index + 1 < window; index++) {
      const pair = ((phrase[index] as number) << 8) | (phrase[index + 1] as number);
      table[pair] = Math.min(table[pair] as number, window - 2 - index);
    }
  }
  return table;
}
