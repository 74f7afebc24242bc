import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, renameSync, statSync, utimesSync } from 'node:fs';
import { chmod, type FileHandle, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { systemErrorCode } from '../lib/errors.ts';
import { openArchiveFile } from './archive-file.ts';
import { randomHex } from './random.ts';

/** A file that is written beside its final place, so that readers only ever see whole files. Private (0600). */
export interface StagedFile {
  readonly path: string;
  write(data: Uint8Array): Promise<void>;
  /** Writes pieces one behind the other from a position on; for what does not come in order. */
  writeAllAt(position: number, data: readonly Uint8Array[]): Promise<void>;
  /** Throws away what was written; the next `write` starts at the beginning. */
  truncate(): Promise<void>;
  /** Closes the file and leaves it where it is. Idempotent. */
  close(): Promise<void>;
  /** Closes the file and gives it its final name, in place of what is there. */
  commit(finalPath: string, modifiedMs?: number): Promise<void>;
  /** Closes and removes it. Idempotent; does nothing after a commit. */
  discard(): Promise<void>;
}

/** Creates a new file with a random name in a directory (default: the system's for temporary files). */
export async function createStagedFile(directory: string | undefined, prefix: string): Promise<StagedFile> {
  const path = join(directory ?? tmpdir(), `${prefix}${randomHex(8)}`);
  const handle = await open(path, 'wx', 0o600);
  let isOpen = true;
  let isGone = false;
  let end = 0;
  const close = async (): Promise<void> => {
    if (isOpen) await handle.close();
    isOpen = false;
  };
  return {
    path,
    write: async (data) => {
      const position = end;
      end += data.length;
      await writeFully(handle, data, position);
    },
    truncate: async () => {
      await handle.truncate(0);
      end = 0;
    },
    writeAllAt: (position, data) => writeAllFully(handle, data, position),
    close,
    commit: async (finalPath, modifiedMs) => {
      await close();
      if (modifiedMs !== undefined) utimesSync(path, Date.now() / 1000, modifiedMs / 1000);
      await rename(path, finalPath);
      isGone = true;
    },
    discard: async () => {
      await close();
      if (!isGone) await rm(path, { force: true });
      isGone = true;
    },
  };
}

async function writeFully(handle: FileHandle, data: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < data.length; ) {
    written += (await handle.write(data, written, data.length - written, position + written)).bytesWritten;
  }
}

async function writeAllFully(handle: FileHandle, data: readonly Uint8Array[], position: number): Promise<void> {
  let { bytesWritten } = await handle.writev(data, position);
  let at = position;
  for (const piece of data) {
    if (bytesWritten < piece.length) await writeFully(handle, piece.subarray(bytesWritten), at + bytesWritten);
    bytesWritten = Math.max(0, bytesWritten - piece.length);
    at += piece.length;
  }
}

export interface FileFacts {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** Size and time of a regular file, or undefined where there is none. */
export function inspectFile(path: string): FileFacts | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() === true ? { sizeBytes: stats.size, modifiedMs: stats.mtimeMs } : undefined;
}

/** Makes the directory a file lies in, private (0700); an existing one is left as it is. */
export function makeParentDirectory(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
}

export function moveFile(from: string, to: string): void {
  renameSync(from, to);
}

/** The text of a small file, or undefined where there is none. */
export async function readTextFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes a small file whole: readers see the old text or the new one. */
export async function replaceTextFile(path: string, text: string, mode: number): Promise<void> {
  const file = await createStagedFile(dirname(path), 'text_');
  try {
    await file.write(Buffer.from(text));
    await chmod(file.path, mode);
    await file.commit(path);
  } finally {
    await file.discard();
  }
}

/** Removes files that a killed process left in a directory: such names, and nothing written for a while. */
export async function removeLeftovers(directory: string, names: RegExp, unusedForMs: number): Promise<void> {
  const old = Date.now() - unusedForMs;
  for (const name of await readdir(directory).catch(() => [])) {
    const path = join(directory, name);
    const facts = names.test(name) ? inspectFile(path) : undefined;
    if (facts !== undefined && facts.modifiedMs < old) await rm(path, { force: true });
  }
}

export async function writeTextFile(path: string, text: string, mode: number): Promise<void> {
  await writeFile(path, text, { mode });
}

/** Bytes of a file as a stream, for sending. */
export function streamFile(path: string): Readable {
  return createReadStream(path, { highWaterMark: 1024 * 1024 });
}

/** A file of which parts are read, several at the same time. It stays the same file whatever its name leads to. */
export interface FileParts {
  readonly sizeBytes: number;
  /** The first bytes. */
  head(length: number): Buffer;
  /** Bytes from `start` to before `end`. @throws where the file ends before. */
  read(start: number, end: number): AsyncIterable<Buffer>;
  /** Idempotent. */
  close(): void;
}

const partReadBytes = 256 * 1024;

/** @throws the system's error. */
export function openFileParts(path: string): FileParts {
  const file = openArchiveFile(path);
  return {
    sizeBytes: file.sizeBytes,
    head: (length) => file.readNow(0, length),
    read: async function* read(start, end) {
      for (let at = start; at < end; ) {
        const piece = await file.read(at, Math.min(partReadBytes, end - at));
        if (piece.length === 0) throw new Error(`${path} became shorter while it was read`);
        at += piece.length;
        yield piece;
      }
    },
    close: () => file.close(),
  };
}

/** Hex SHA-256 of a file's content. */
export async function sha256OfFile(path: string | Buffer, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const pieces = createReadStream(path, { highWaterMark: 1024 * 1024, signal });
  for await (const piece of pieces) hash.update(piece as Buffer);
  return hash.digest('hex');
}

/** Mode 0777, for the path itself only. */
export async function openToEveryone(path: string): Promise<void> {
  await chmod(path, 0o777);
}
