import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  read,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { systemErrorCode } from '../lib/errors.ts';

/** A path as the system takes it: text, or bytes where a name is not valid UTF-8. */
export type FilePath = string | Buffer;

export type EntryKind = 'file' | 'directory' | 'symlink' | 'special';

/** What the system knows of a file system entry, links not followed. */
export interface EntryFacts {
  readonly kind: EntryKind;
  /** Type and permission bits (`st_mode`). */
  readonly mode: number;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly uid: number;
  readonly gid: number;
}

export interface ListedEntry {
  /** Bytes only where the name is not valid UTF-8. */
  readonly name: string | Buffer;
  readonly kind: EntryKind;
}

/** Facts of an entry, or undefined where there is none. Links are not followed. */
export function inspectEntry(path: FilePath): EntryFacts | undefined {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats === undefined ? undefined : factsOf(stats);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Whether a path leads to a directory, following links. */
export function isDirectory(path: FilePath): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    return false;
  }
}

/** Whether two paths lead to the same entry. */
export function isSameEntry(left: string, right: string): boolean {
  try {
    const [a, b] = [statSync(left), statSync(right)];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}

/** Entries of a directory in no particular order; none where it cannot be read. */
export function listEntries(path: FilePath): readonly ListedEntry[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    if (!entries.some((entry) => entry.name.includes('\ufffd'))) return entries.map(listed);
    return readdirSync(path, { withFileTypes: true, encoding: 'buffer' }).map(listed);
  } catch {
    return [];
  }
}

function listed(entry: Dirent | Dirent<Buffer>): ListedEntry {
  return { name: entry.name, kind: kindOf(entry) };
}

/** The text of a symbolic link, as bytes. */
export function readLinkTarget(path: FilePath): Buffer {
  return readlinkSync(path, { encoding: 'buffer' });
}

export interface OpenedFile {
  readonly descriptor: number;
  readonly facts: EntryFacts;
}

/** Opens a file for reading; a link in its place is not followed and a pipe does not block. */
export function openForReading(path: FilePath): OpenedFile {
  // Absent on Windows, where neither problem exists.
  const careful = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const descriptor = openSync(path, constants.O_RDONLY | careful);
  try {
    return { descriptor, facts: factsOf(fstatSync(descriptor)) };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

export function closeDescriptor(descriptor: number): void {
  closeSync(descriptor);
}

/** Reads up to `length` bytes from a position; fewer only at the end of the file. */
export function readAt(descriptor: number, position: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(descriptor, buffer, filled, length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled === length ? buffer : buffer.subarray(0, filled);
}

/** As `readAt`, off the event loop. */
export async function readAtLater(descriptor: number, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const count = await readOnce(descriptor, buffer, filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled === length ? buffer : buffer.subarray(0, filled);
}

function readOnce(descriptor: number, buffer: Buffer, offset: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(descriptor, buffer, offset, buffer.length - offset, position, (error, count) => {
      if (error === null) resolve(count);
      else reject(error);
    });
  });
}

function factsOf(stats: Stats): EntryFacts {
  return {
    kind: kindOf(stats),
    mode: stats.mode,
    sizeBytes: stats.size,
    modifiedMs: stats.mtimeMs,
    uid: stats.uid,
    gid: stats.gid,
  };
}

/** What kind of entry stats or a directory's entry tell of. */
export function kindOf(entry: Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink'>): EntryKind {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  return entry.isSymbolicLink() ? 'symlink' : 'special';
}
