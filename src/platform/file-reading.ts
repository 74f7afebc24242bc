import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { errorMessage, StorageError } from '../lib/errors.ts';

/** A file to be streamed. */
export interface ReadableFile {
  readonly sizeBytes: number;
  /** Opens it anew. */
  readonly read: () => Readable;
}

/** @throws StorageError when it is not there, or no file. */
export async function openFileToRead(path: string): Promise<ReadableFile> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new Error('it is no file');
    return { sizeBytes: found.size, read: () => createReadStream(path) };
  } catch (error) {
    throw new StorageError(`cannot read ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

/** Whether there is a folder at this path. */
export async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}
