import { NO_BYTES } from './byte-layer.ts';

/** A few lines: why the job ends. */
const MOST_BYTES = 16 * 1024;

/** Bytes behind a file that takes nothing more, in memory. */
export class TraceTail {
  #bytes = Buffer.alloc(0);

  get sizeBytes(): number {
    return this.#bytes.length;
  }

  /** @returns the bytes that were taken; none once they would be too many. */
  append(bytes: Uint8Array): Uint8Array {
    if (this.#bytes.length + bytes.length > MOST_BYTES) return NO_BYTES;
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    return bytes;
  }

  read(offset: number, length: number): Uint8Array {
    return this.#bytes.subarray(offset, offset + length);
  }
}
