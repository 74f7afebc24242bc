import { overLimitNotice } from './line-forms.ts';

const DEFAULT_LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * Cuts the trace at a size (spec job-execution.md §15): the write that would fill it is cut at a character, a notice
 * follows, everything later is dropped. The notice comes on top of the limit.
 */
export class OutputLimit {
  readonly #limitBytes: number;
  #sizeBytes: number;
  #isReached: boolean;

  constructor(limitBytes: number, state = { sizeBytes: 0, isReached: false }) {
    this.#limitBytes = limitBytes > 0 ? limitBytes : DEFAULT_LIMIT_BYTES;
    this.#sizeBytes = state.sizeBytes;
    this.#isReached = state.isReached;
  }

  get isReached(): boolean {
    return this.#isReached;
  }

  /** What of these bytes (whole characters) is kept, in the order of storing. */
  admit(bytes: Uint8Array): readonly Uint8Array[] {
    if (this.#isReached) return [];
    if (this.#sizeBytes + bytes.length < this.#limitBytes) {
      this.#sizeBytes += bytes.length;
      return [bytes];
    }
    this.#isReached = true;
    const kept = bytes.subarray(0, characterBorder(bytes, this.#limitBytes - this.#sizeBytes));
    return [kept, Buffer.from(overLimitNotice(this.#limitBytes))];
  }
}

/** The last position not behind `length` where a character begins or the text ends. */
function characterBorder(bytes: Uint8Array, length: number): number {
  let end = Math.min(length, bytes.length);
  while (end > 0 && end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return end;
}
