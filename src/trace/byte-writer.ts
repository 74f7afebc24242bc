/** Below this length a loop beats the call into native code. */
const SHORT_COPY = 24;

/** Collects bytes in one growing piece of memory. */
export class ByteWriter {
  #memory: Buffer;
  #length = 0;

  constructor(expectedBytes: number) {
    this.#memory = Buffer.allocUnsafe(Math.max(expectedBytes, 64));
  }

  get length(): number {
    return this.#length;
  }

  /** Appends `source[start, end)`. */
  copy(source: Uint8Array, start = 0, end: number = source.length): void {
    const count = end - start;
    if (count <= 0) return;
    this.#reserve(count);
    const memory = this.#memory;
    let at = this.#length;
    if (count <= SHORT_COPY) {
      for (let index = start; index < end; index++) memory[at++] = source[index] as number;
    } else {
      memory.set(start === 0 && end === source.length ? source : source.subarray(start, end), at);
    }
    this.#length += count;
  }

  push(byte: number): void {
    this.#reserve(1);
    this.#memory[this.#length++] = byte;
  }

  /** What was collected; the writer must not be used afterwards. */
  take(): Uint8Array {
    return this.#memory.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#memory.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#memory.length * 2));
    larger.set(this.#memory.subarray(0, this.#length));
    this.#memory = larger;
  }
}
