import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import type { ArchiveFile } from '../../platform/archive-file.ts';
import { ArchiveError } from '../archive-error.ts';
import { damaged, type ZipEntry } from './zip-directory.ts';
import { localHeaderBytes, localSignature, methodStore } from './zip-records.ts';

/** Entries up to this size, packed and unpacked, are handled in one piece. */
export const smallEntryBytes = 256 * 1024;

const windowBytes = 1024 * 1024;

/** Reads entries one after the other in large steps. */
export class ZipDataReader {
  readonly #file: ArchiveFile;
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;

  constructor(file: ArchiveFile) {
    this.#file = file;
  }

  /** The unpacked content of a small entry. @throws ArchiveError where it is damaged. */
  readSmall(entry: ZipEntry): Buffer {
    const packed = this.#bytes(this.dataStart(entry), entry.compressedBytes);
    const content = entry.method === methodStore ? packed : inflate(entry, packed);
    if (content.length !== entry.sizeBytes || crcOf(content) !== entry.crc) throw wrongContent(entry);
    return content;
  }

  /** Where an entry's data starts: only the local header knows how long it is itself. */
  dataStart(entry: ZipEntry): number {
    const header = this.#bytes(entry.offset, localHeaderBytes);
    if (header.readUInt32LE(0) !== localSignature) throw damaged();
    return entry.offset + localHeaderBytes + header.readUInt16LE(26) + header.readUInt16LE(28);
  }

  #bytes(position: number, length: number): Buffer {
    const offset = position - this.#windowStart;
    if (offset < 0 || offset + length > this.#window.length) {
      this.#window = this.#file.readNow(position, Math.max(windowBytes, length));
      this.#windowStart = position;
      if (this.#window.length < length) throw damaged();
      return this.#window.subarray(0, length);
    }
    return this.#window.subarray(offset, offset + length);
  }
}

/** Unpacks a large entry piece by piece. @throws ArchiveError where it is damaged; the signal's reason. */
export async function streamEntry(
  file: ArchiveFile,
  entry: ZipEntry,
  dataStart: number,
  write: (piece: Buffer) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let crc = 0;
  let sizeBytes = 0;
  const consume = async (pieces: AsyncIterable<Buffer>): Promise<void> => {
    for await (const piece of pieces) {
      sizeBytes += piece.length;
      // Stop at once: a bomb must not be unpacked to find out that it is one.
      if (sizeBytes > entry.sizeBytes) throw wrongContent(entry);
      crc = crc32(piece, crc);
      await write(piece);
    }
  };
  const packed = Readable.from(packedPieces(file, dataStart, entry.compressedBytes), {
    objectMode: false,
    highWaterMark: windowBytes,
  });
  try {
    if (entry.method === methodStore) await pipeline(packed, consume, { signal });
    else await pipeline(packed, createInflateRaw({ chunkSize: 256 * 1024 }), consume, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw isZlibError(error) ? damagedContent(entry, error) : error;
  }
  if (sizeBytes !== entry.sizeBytes || crc !== entry.crc) throw wrongContent(entry);
}

async function* packedPieces(file: ArchiveFile, start: number, length: number): AsyncGenerator<Buffer> {
  for (let done = 0; done < length; ) {
    const piece = await file.read(start + done, Math.min(windowBytes, length - done));
    if (piece.length === 0) throw damaged();
    done += piece.length;
    yield piece;
  }
}

function inflate(entry: ZipEntry, packed: Buffer): Buffer {
  try {
    return inflateRawSync(packed, {
      maxOutputLength: Math.max(1, entry.sizeBytes),
      chunkSize: Math.max(1024, entry.sizeBytes + 64),
    });
  } catch (error) {
    throw damagedContent(entry, error);
  }
}

function crcOf(content: Buffer): number {
  return content.length === 0 ? 0 : crc32(content);
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_');
}

function damagedContent(entry: ZipEntry, cause: unknown): ArchiveError {
  return new ArchiveError(`"${entry.name}" is damaged in the archive`, { cause });
}

function wrongContent(entry: ZipEntry): ArchiveError {
  return new ArchiveError(`zip: checksum error: "${entry.name}" does not unpack to what the archive says`);
}
