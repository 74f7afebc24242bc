import { type CodecName, type Compressor, createCompressor, createDecompressor, type Decompressor } from './codec.ts';

/** The contexts and the memory of one thread, used for one batch after the other. */
export class WorkingSet {
  readonly #compressors = new Map<string, Compressor>();
  readonly #decompressors = new Map<CodecName, Decompressor>();
  #scratch = Buffer.alloc(0);
  #packed = Buffer.alloc(0);

  compressor(codec: CodecName, level: number): Compressor {
    const key = `${codec} ${level}`;
    const known = this.#compressors.get(key);
    if (known !== undefined) return known;
    const made = createCompressor(codec, level);
    this.#compressors.set(key, made);
    return made;
  }

  decompressor(codec: CodecName): Decompressor {
    const known = this.#decompressors.get(codec);
    if (known !== undefined) return known;
    const made = createDecompressor(codec);
    this.#decompressors.set(codec, made);
    return made;
  }

  /** Memory for content; what it held is lost with the next call. */
  scratch(bytes: number): Buffer {
    if (this.#scratch.length < bytes) this.#scratch = Buffer.allocUnsafeSlow(roundedUp(bytes));
    return this.#scratch;
  }

  /** As `scratch`, another piece. */
  packed(bytes: number): Buffer {
    if (this.#packed.length < bytes) this.#packed = Buffer.allocUnsafeSlow(roundedUp(bytes));
    return this.#packed;
  }
}

function roundedUp(bytes: number): number {
  return Math.ceil(bytes / 65_536) * 65_536;
}
