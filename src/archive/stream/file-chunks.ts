import { errorMessage, systemErrorCode } from '../../lib/errors.ts';
import { closeDescriptor, type OpenedFile, openForReading, readAt, readAtLater } from '../../platform/file-tree.ts';
import { ArchiveError } from '../archive-error.ts';
import { pathBelow } from '../archive-path.ts';
import { looksCompressed } from '../workers/incompressible.ts';
import { chunkBytes, deflateChunk, dictionaryBytes, wholeFileBytes } from './deflate-chunk.ts';
import { releaseBuffer } from './release.ts';

/** A piece of a file, as it is and compressed. Both belong to whoever gets them; at level 0 they are one. */
export interface PackedChunk {
  readonly raw: Buffer;
  readonly packed: Buffer;
}

/** A regular file opened for archiving. Only what it held when it was opened is read: it may grow meanwhile. */
export interface SourceFile {
  readonly opened: OpenedFile;
  /** Small enough to be read with `readWhole`; others are read in chunks. */
  readonly isWhole: boolean;
  readonly chunkCount: number;
  /** Memory that packing one piece (or the whole) takes. */
  readonly weight: number;
  /** Reads everything and closes the file. */
  readWhole(): Buffer;
  /** Reads one piece; short or empty where the file has shrunk. */
  readChunk(index: number): Promise<Buffer>;
  /** Reads and compresses one piece. The file is closed once every piece was read. */
  packChunk(index: number, level: number): Promise<PackedChunk>;
  /** Idempotent. */
  close(): void;
}

/**
 * Opens a file below the root.
 * @returns undefined where it is gone or is no regular file any more; `problem` has then been told.
 * @throws ArchiveError where it cannot be read.
 */
export function openSource(root: string, path: string, problem: (message: string) => void): SourceFile | undefined {
  let opened: OpenedFile;
  try {
    opened = openForReading(pathBelow(root, path));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') {
      problem(`File ignored: ${errorMessage(error)}`);
      return undefined;
    }
    throw new ArchiveError(`cannot read "${path}": ${errorMessage(error)}`, { cause: error });
  }
  if (opened.facts.kind !== 'file') {
    closeDescriptor(opened.descriptor);
    problem(`File ignored: ${path} is no regular file any more`);
    return undefined;
  }
  return new OpenSource(opened);
}

class OpenSource implements SourceFile {
  readonly opened: OpenedFile;
  readonly isWhole: boolean;
  readonly chunkCount: number;
  readonly weight: number;
  #isOpen = true;
  #unread: number;

  constructor(opened: OpenedFile) {
    const { sizeBytes } = opened.facts;
    this.opened = opened;
    this.isWhole = sizeBytes <= wholeFileBytes;
    this.chunkCount = Math.max(1, Math.ceil(sizeBytes / chunkBytes));
    // Even the smallest file costs some objects and a header.
    this.weight = this.isWhole ? 1024 + 2 * sizeBytes : 2 * chunkBytes + dictionaryBytes;
    this.#unread = this.chunkCount;
  }

  readWhole(): Buffer {
    try {
      return readAt(this.opened.descriptor, 0, this.opened.facts.sizeBytes);
    } finally {
      this.close();
    }
  }

  readChunk(index: number): Promise<Buffer> {
    return this.#read(index * chunkBytes, chunkBytes);
  }

  async packChunk(index: number, level: number): Promise<PackedChunk> {
    try {
      const position = index * chunkBytes;
      if (level === 0) {
        const raw = await this.#read(position, chunkBytes);
        return { raw, packed: raw };
      }
      const before = Math.min(position, dictionaryBytes);
      const both = await this.#read(position - before, before + chunkBytes);
      const [dictionary, raw] = [both.subarray(0, before), both.subarray(before)];
      const used = looksCompressed(raw) ? 0 : level;
      const packed = await deflateChunk(raw, { level: used, isLast: index === this.chunkCount - 1, dictionary });
      return { raw, packed };
    } finally {
      this.#unread -= 1;
      if (this.#unread === 0) this.close();
    }
  }

  close(): void {
    if (this.#isOpen) closeDescriptor(this.opened.descriptor);
    this.#isOpen = false;
  }

  #read(position: number, length: number): Promise<Buffer> {
    const rest = Math.max(0, this.opened.facts.sizeBytes - position);
    return readAtLater(this.opened.descriptor, position, Math.min(length, rest));
  }
}

/** Gives back a raw piece that is not needed any more. */
export function releaseChunk({ raw, packed }: PackedChunk): void {
  if (raw !== packed) releaseBuffer(raw);
}
