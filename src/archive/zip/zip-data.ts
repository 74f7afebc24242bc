import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  crc32,
  createInflateRaw,
  createZstdDecompress,
  type InflateRaw,
  inflateRawSync,
  type ZstdDecompress,
  zstdDecompressSync,
} from 'node:zlib';
import type { ArchiveFile } from '../../platform/archive-file.ts';
import { ArchiveError } from '../archive-error.ts';
import { damaged, type ZipEntry } from './zip-directory.ts';
import { localHeaderBytes, localSignature, methodStore, methodZstd } from './zip-records.ts';

/** The longest text a link can have. */
export const linkTextLimit = 4096;

const windowBytes = 1024 * 1024;

/** The unpacked content of a small entry. @throws ArchiveError where it is damaged. */
export function readSmall(file: ArchiveFile, entry: ZipEntry): Buffer {
  const packed = file.readNow(startOfData(file, entry), Math.min(entry.compressedBytes, windowBytes));
  const content = entry.method === methodStore ? packed : unpack(entry, packed);
  const crc = content.length === 0 ? 0 : crc32(content);
  if (content.length !== entry.sizeBytes || crc !== entry.crc) throw wrongContent(entry);
  return content;
}

/** Where an entry's data starts: only the local header knows how long it is itself. */
export function startOfData(file: ArchiveFile, entry: ZipEntry): number {
  const header = file.readNow(entry.offset, localHeaderBytes);
  if (header.length < localHeaderBytes || header.readUInt32LE(0) !== localSignature) {
    throw damaged(`"${entry.name}" is not where the archive says`);
  }
  return entry.offset + localHeaderBytes + header.readUInt16LE(26) + header.readUInt16LE(28);
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
    else await pipeline(packed, decompressorOf(entry), consume, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw isZlibError(error) ? damagedContent(entry, error) : error;
  }
  if (sizeBytes !== entry.sizeBytes || crc !== entry.crc) throw wrongContent(entry);
}

async function* packedPieces(file: ArchiveFile, start: number, length: number): AsyncGenerator<Buffer> {
  for (let done = 0; done < length; ) {
    const piece = await file.read(start + done, Math.min(windowBytes, length - done));
    if (piece.length === 0) throw damaged('its data ends early');
    done += piece.length;
    yield piece;
  }
}

function decompressorOf({ method }: ZipEntry): InflateRaw | ZstdDecompress {
  const options = { chunkSize: 256 * 1024 };
  return method === methodZstd ? createZstdDecompress(options) : createInflateRaw(options);
}

function unpack(entry: ZipEntry, packed: Buffer): Buffer {
  const options = { maxOutputLength: Math.max(1, entry.sizeBytes) };
  try {
    return entry.method === methodZstd ? zstdDecompressSync(packed, options) : inflateRawSync(packed, options);
  } catch (error) {
    throw damagedContent(entry, error);
  }
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^(Z|ZSTD)_/i.test(error.code);
}

function damagedContent(entry: ZipEntry, cause: unknown): ArchiveError {
  return new ArchiveError(`"${entry.name}" is damaged in the archive`, { cause });
}

function wrongContent(entry: ZipEntry): ArchiveError {
  return new ArchiveError(`zip: checksum error: "${entry.name}" does not unpack to what the archive says`);
}
