import { releaseBuffer } from './release.ts';

/** Gathers pieces into blocks that are worth a write. Pieces are copied and given back. */
export class BlockBuffer {
  readonly #blockBytes: number;
  #block: Buffer;
  #filled = 0;
  #full: Buffer[] = [];

  constructor(blockBytes = 256 * 1024) {
    this.#blockBytes = blockBytes;
    this.#block = Buffer.allocUnsafeSlow(blockBytes);
  }

  add(piece: Buffer): void {
    for (let taken = 0; taken < piece.length; ) {
      const count = piece.copy(this.#block, this.#filled, taken);
      taken += count;
      this.#filled += count;
      if (this.#filled === this.#blockBytes) this.#closeBlock();
    }
    releaseBuffer(piece);
  }

  /** The blocks that are full; they belong to the caller. */
  takeFull(): readonly Buffer[] {
    const full = this.#full;
    if (full.length > 0) this.#full = [];
    return full;
  }

  /** All blocks, the last one perhaps shorter. */
  takeAll(): readonly Buffer[] {
    if (this.#filled > 0) this.#closeBlock();
    return this.takeFull();
  }

  #closeBlock(): void {
    this.#full.push(this.#block.subarray(0, this.#filled));
    this.#block = Buffer.allocUnsafeSlow(this.#blockBytes);
    this.#filled = 0;
  }
}
