import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, mkdtemp, open, readFile, realpath, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { systemErrorCode } from '../lib/errors.ts';
import { makeFolders } from './make-folders.ts';

/** The path with every symbolic link resolved; the path itself where it does not exist. */
export async function realPath(path: string): Promise<string> {
  return (await ifPresent(realpath(path))) ?? path;
}

/** A file's content, undefined where there is none. */
export async function readIfPresent(path: string | Buffer): Promise<Buffer | undefined> {
  return await ifPresent(readFile(path));
}

/** What a path itself is, without following a last symbolic link. */
export async function kindOf(path: string): Promise<'file' | 'folder' | 'link' | 'other' | undefined> {
  const found = await ifPresent(lstat(path));
  if (found === undefined) return undefined;
  if (found.isSymbolicLink()) return 'link';
  if (found.isDirectory()) return 'folder';
  return found.isFile() ? 'file' : 'other';
}

/** Size of a file in bytes, undefined where there is no such file. */
export async function fileSize(path: string): Promise<number | undefined> {
  const found = await ifPresent(stat(path));
  return found?.isFile() === true ? found.size : undefined;
}

/**
 * Copies a file together with its modification time, moved a little towards the past: git compares an index' time
 * with those of the files to find changes that came right after it was written, so earlier only means more care.
 * @returns false where there is nothing to copy.
 */
export async function copyWithEarlierTime(from: string, to: string): Promise<boolean> {
  const source = await ifPresent(open(from, 'r'));
  if (source === undefined) return false;
  try {
    const [content, { mtimeMs }] = await Promise.all([source.readFile(), source.stat()]);
    await writeFile(to, content, { mode: 0o600 });
    const earlier = (Math.floor(mtimeMs) - 1) / 1000;
    await utimes(to, earlier, earlier);
    return true;
  } finally {
    await source.close();
  }
}

/** Makes a folder and its parents, for this account only. */
export async function makeFolder(path: string): Promise<void> {
  makeFolders(path, 0o700);
}

/** Makes a new folder whose path begins as given, for this account only. */
export async function makeTemporaryFolder(prefix: string): Promise<string> {
  return await mkdtemp(prefix);
}

export async function writeText(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
}

export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
}

/** Removes a folder and everything in it; what is gone already is fine. */
export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

/** Renames a file; atomic inside one file system. */
export async function moveFile(from: string, to: string): Promise<void> {
  await rename(from, to);
}

/** Writes a new file from a stream. */
export async function writeStream(path: string, content: AsyncIterable<Buffer>, signal: AbortSignal): Promise<void> {
  await pipeline(content, createWriteStream(path, { mode: 0o600 }), { signal });
}

async function ifPresent<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Streams a part of a file; `end` is exclusive. */
export function readFileRange(path: string, start: number, end: number): Readable {
  if (start >= end) return Readable.from([]);
  return createReadStream(path, { start, end: end - 1 });
}
