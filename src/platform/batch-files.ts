import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  futimesSync,
  linkSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import type { EntryMetadata } from './file-extraction.ts';
import { type EntryKind, type FilePath, kindOf } from './file-tree.ts';

// Absent on Windows, where neither problem exists: links are not followed, pipes do not block.
const careful = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Reads a whole regular file, at most `length` bytes of it, into a buffer. Blocks.
 * @returns how many bytes there were, or what is there instead of a file.
 * @throws the system's error.
 */
export function readFileInto(path: FilePath, buffer: Buffer, at: number, length: number): number | EntryKind {
  const descriptor = openSync(path, constants.O_RDONLY | careful);
  try {
    let filled = length === 0 ? 0 : readSync(descriptor, buffer, at, length, null);
    if (filled === length && length > 0) return filled;
    // Empty, shorter than it was, or no file any more.
    const kind = kindOf(fstatSync(descriptor));
    if (kind !== 'file') return kind;
    while (filled < length) {
      const count = readSync(descriptor, buffer, at + filled, length - filled, null);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  } finally {
    closeSync(descriptor);
  }
}

/** Fills a buffer from a position of an open file. @returns fewer bytes only at the end of the file. */
export function readIntoAt(descriptor: number, buffer: Buffer, length: number, position: number): number {
  let filled = 0;
  while (filled < length) {
    const count = readSync(descriptor, buffer, filled, length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

/** What does not change from file to file. */
export interface WritingFacts {
  readonly umask: number;
  /** Access time of what is written, seconds. */
  readonly nowSeconds: number;
}

/** Creates a file that must not exist, with its content and metadata. The owner is best effort. Blocks. */
export function writeNewFile(path: FilePath, content: Buffer, metadata: EntryMetadata, facts: WritingFacts): void {
  const mode = metadata.mode & 0o777;
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
  try {
    for (let written = 0; written < content.length; ) {
      written += writeSync(descriptor, content, written, content.length - written);
    }
    if (metadata.owner !== undefined) changeOwner(descriptor, metadata.owner);
    if ((mode & facts.umask) !== 0 || metadata.owner !== undefined) fchmodSync(descriptor, mode);
    futimesSync(descriptor, facts.nowSeconds, metadata.modifiedMs / 1000);
  } finally {
    closeSync(descriptor);
  }
}

function changeOwner(descriptor: number, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  try {
    fchownSync(descriptor, uid, gid);
  } catch {
    // Not permitted, or unknown to this file system.
  }
}

/** A file that is written piece by piece. */
export interface OpenNewFile {
  readonly descriptor: number;
  /** Closes it as it is. */
  abandon(): void;
}

/** Creates a file that must not exist; `finishFile` gives it its metadata. */
export function openNewFile(path: FilePath): OpenNewFile {
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  return { descriptor, abandon: () => closeSync(descriptor) };
}

/** Blocks. */
export function appendToFile({ descriptor }: OpenNewFile, content: Buffer): void {
  for (let written = 0; written < content.length; ) {
    written += writeSync(descriptor, content, written, content.length - written);
  }
}

/** A second name for a file. */
export function linkFile(existing: FilePath, path: FilePath): void {
  linkSync(existing, path);
}
