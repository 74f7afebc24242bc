import { ArchiveError } from '../archive-error.ts';

/** Bytes of one frame; `isEnd` with its last ones. */
export interface FramePart {
  readonly bytes: Buffer;
  readonly isEnd: boolean;
}

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const dictionaryIdBytes = [0, 1, 2, 4];
const contentSizeBytes = [0, 2, 4, 8];

/** What the bytes after those counted are. */
type Next = 'magic' | 'descriptor' | 'block' | 'end';

/**
 * Finds where the frames of zstd data end (RFC 8878 §3.1), without decompressing: Node's decompressor stops behind the
 * first one. Feed it pieces of any size.
 */
export class ZstdFrames {
  /** Header bytes seen of what comes next. */
  #header = Buffer.alloc(0);
  #next: Next = 'magic';
  /** Bytes to pass on before the next header. */
  #passing = 0;
  #isSkipped = false;
  #checksumBytes = 0;

  /** Whether the data may end here. */
  get isBetweenFrames(): boolean {
    return this.#next === 'magic' && this.#header.length === 0 && this.#passing === 0;
  }

  /** @throws ArchiveError where it is no zstd data. */
  *split(piece: Buffer): Generator<FramePart> {
    for (let at = 0; at < piece.length || (this.#next === 'end' && this.#passing === 0); ) {
      if (this.#passing > 0) {
        const bytes = piece.subarray(at, at + this.#passing);
        at += bytes.length;
        this.#passing -= bytes.length;
        const isEnd = this.#next === 'end' && this.#passing === 0;
        if (!this.#isSkipped) yield { bytes, isEnd };
        if (isEnd) this.#next = 'magic';
      } else if (this.#next === 'end') {
        if (!this.#isSkipped) yield { bytes: Buffer.alloc(0), isEnd: true };
        this.#next = 'magic';
      } else {
        const wanted = this.#headerBytes() - this.#header.length;
        const bytes = piece.subarray(at, at + wanted);
        at += bytes.length;
        this.#header = Buffer.concat([this.#header, bytes]);
        if (bytes.length === wanted) yield* this.#readHeader();
      }
    }
  }

  #headerBytes(): number {
    if (this.#next === 'block') return 3;
    return this.#next === 'magic' ? 4 : this.#isSkipped ? 4 : 1;
  }

  *#readHeader(): Generator<FramePart> {
    const header = this.#header;
    this.#header = Buffer.alloc(0);
    if (this.#next === 'magic') {
      const magic = header.readUInt32LE(0);
      this.#isSkipped = (magic & 0xfffffff0) >>> 0 === skippableMagic;
      if (!this.#isSkipped && magic !== frameMagic) throw new ArchiveError('tarzstd: not valid zstd data');
      this.#next = 'descriptor';
    } else if (this.#next === 'descriptor' && this.#isSkipped) {
      this.#passing = header.readUInt32LE(0);
      this.#next = 'end';
    } else if (this.#next === 'descriptor') {
      this.#readDescriptor(header.readUInt8(0));
    } else {
      this.#readBlock(header.readUIntLE(0, 3));
    }
    if (!this.#isSkipped) yield { bytes: header, isEnd: false };
  }

  #readDescriptor(descriptor: number): void {
    const isSingle = (descriptor & 0x20) !== 0;
    const sizeFlag = descriptor >> 6;
    const sizeBytes = sizeFlag === 0 && isSingle ? 1 : (contentSizeBytes[sizeFlag] ?? 0);
    this.#checksumBytes = (descriptor & 0x04) !== 0 ? 4 : 0;
    this.#passing = (isSingle ? 0 : 1) + (dictionaryIdBytes[descriptor & 3] ?? 0) + sizeBytes;
    this.#next = 'block';
  }

  #readBlock(header: number): void {
    const type = (header >> 1) & 3;
    if (type === 3) throw new ArchiveError('tarzstd: not valid zstd data');
    this.#passing = type === 1 ? 1 : header >> 3;
    if ((header & 1) === 0) return;
    this.#passing += this.#checksumBytes;
    this.#next = 'end';
  }
}
