import { createReadStream } from 'node:fs';
import { open, readFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { gunzip } from 'node:zlib';
import { errorMessage, StorageError, systemErrorCode } from '../lib/errors.ts';

/** Size of a file in bytes; 0 when it does not exist. */
export async function byteFileSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return 0;
    throw error;
  }
}

/**
 * Appends bytes at a known size of the file, created with mode 0600. What a failed append left behind is overwritten
 * by the next one.
 * @throws StorageError
 */
export async function appendBytesAt(path: string, size: number, bytes: Uint8Array): Promise<void> {
  try {
    const file = await open(path, size === 0 ? 'w' : 'r+', 0o600);
    try {
      let written = 0;
      while (written < bytes.length) {
        written += (await file.write(bytes, written, bytes.length - written, size + written)).bytesWritten;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new StorageError(`cannot write ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

/** Cuts a file to a size; an absent file is fine. */
export async function cutByteFile(path: string, size: number): Promise<void> {
  try {
    await truncate(path, size);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}

/** Bytes `start` to `end` (exclusive) of a file, as many as there are; none when it does not exist. */
export async function readByteRange(path: string, start: number, end: number): Promise<Buffer> {
  if (end <= start) return Buffer.alloc(0);
  try {
    const file = await open(path, 'r');
    try {
      const buffer = Buffer.alloc(end - start);
      let filled = 0;
      while (filled < buffer.length) {
        const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, start + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return buffer.subarray(0, filled);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

/** Streams bytes `start` to `end` (exclusive) of a file into a writable, with back-pressure; does not end it early. */
export async function pipeByteRange(
  path: string,
  start: number,
  end: number,
  target: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<void> {
  if (end <= start) {
    target.end();
    return;
  }
  await pipeline(createReadStream(path, { start, end: end - 1 }), target, { signal });
}

/** A new file that is written from front to back. */
export interface ByteFileWriter {
  /** @throws StorageError */
  write(bytes: Uint8Array): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Creates (or empties) a file of mode 0600 for writing. */
export async function createByteFile(path: string): Promise<ByteFileWriter> {
  const file = await open(path, 'w', 0o600);
  let isOpen = true;
  return {
    write: async (bytes) => {
      try {
        await file.writeFile(bytes);
      } catch (error) {
        throw new StorageError(`cannot write ${path}: ${errorMessage(error)}`, { cause: error });
      }
    },
    close: async () => {
      if (!isOpen) return;
      isOpen = false;
      await file.close();
    },
  };
}

/** Renames a file over another; atomic inside one file system. */
export async function moveByteFile(from: string, to: string): Promise<void> {
  await rename(from, to);
}

/** Removes a file; an absent one is fine. */
export async function removeByteFile(path: string): Promise<void> {
  await rm(path, { force: true });
}

/**
 * Reads a small gzip file whole; more than `maxBytes` of content is an error, as is what is no gzip.
 * Concatenated members are read one after the other.
 */
export async function readGzipFile(path: string, maxBytes: number): Promise<Buffer> {
  const packed = await readFile(path);
  return new Promise((resolve, reject) => {
    gunzip(packed, { maxOutputLength: maxBytes }, (error, content) => {
      if (error === null) resolve(content);
      else reject(error);
    });
  });
}
