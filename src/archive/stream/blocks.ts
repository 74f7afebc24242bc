/** Gathers small pieces into blocks that are worth a write. */
export class BlockBuffer {
  readonly #blockBytes: number;
  #pieces: Buffer[] = [];
  #size = 0;

  constructor(blockBytes = 256 * 1024) {
    this.#blockBytes = blockBytes;
  }

  add(...pieces: readonly Buffer[]): void {
    for (const piece of pieces) {
      this.#pieces.push(piece);
      this.#size += piece.length;
    }
  }

  get isFull(): boolean {
    return this.#size >= this.#blockBytes;
  }

  /** What was gathered, and starts anew. */
  take(): Buffer {
    const [only] = this.#pieces;
    const block = this.#pieces.length === 1 && only !== undefined ? only : Buffer.concat(this.#pieces, this.#size);
    this.#pieces = [];
    this.#size = 0;
    return block;
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }
}
