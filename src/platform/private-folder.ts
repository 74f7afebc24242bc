import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../lib/errors.ts';
import { makeFolders } from './make-folders.ts';

/** Makes a folder (and its parents) that only this account can enter. */
export function makePrivateFolder(path: string): void {
  makeFolders(path, 0o700);
}

/** Writes a new file that only this account can read. */
export function writePrivateFile(path: string, content: string | Uint8Array): void {
  writeFileSync(path, content, { mode: 0o600 });
}

/** Names in a folder; none if it does not exist. */
export function listFolder(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Renames; atomic inside one file system. */
export function moveEntry(from: string, to: string): void {
  renameSync(from, to);
}

/** Removes a file or tree; what is gone already is fine. */
export function removeTree(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** As `removeTree`, off the event loop but for a few small files: those are gone before another thread would start. */
export async function removeTreeAsync(path: string): Promise<void> {
  if (!removeSmallTree(path)) await rm(path, { recursive: true, force: true });
}

const mostSmallFiles = 24;
const smallFileBytes = 1024 * 1024;

/** @returns false when the tree is left to somebody else, perhaps with fewer files in it */
function removeSmallTree(path: string): boolean {
  try {
    const entries = smallEntries(path);
    if (entries === undefined) return false;
    for (const entry of entries.toReversed()) {
      if (entry.isFolder) rmdirSync(entry.path);
      else unlinkSync(entry.path);
    }
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'ENOENT' && !existsSync(path);
  }
}

interface TreeEntry {
  readonly path: string;
  readonly isFolder: boolean;
}

/** The entries of a tree, a folder before what is in it. @returns undefined where it is not small */
function smallEntries(root: string): readonly TreeEntry[] | undefined {
  const entries: TreeEntry[] = [];
  const waiting = [root];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const stats = lstatSync(path);
    const isFolder = stats.isDirectory();
    entries.push({ path, isFolder });
    const names = isFolder ? readdirSync(path) : [];
    const isLarge = !isFolder && stats.size > smallFileBytes;
    if (isLarge || entries.length + waiting.length + names.length > mostSmallFiles) return undefined;
    for (const name of names) waiting.push(join(path, name));
  }
  return entries;
}

/** Free space below which a disk counts as full: a plan, its scripts and some output must fit. */
const leastFreeBytes = 4 * 1024 * 1024;

/**
 * Finds out whether files can be written below a folder. Makes none: it is asked before every request for a job.
 * @throws the system's error, or one that says how little is free.
 */
export function probeWritable(folder: string): void {
  accessSync(folder, constants.W_OK | constants.X_OK);
  const { bavail, bsize, files, ffree } = statfsSync(folder);
  if (bavail * bsize < leastFreeBytes) throw new Error(`no space left: ${bavail * bsize} bytes are free`);
  // Some file systems have no fixed number of files and tell 0.
  if (files > 0 && ffree === 0) throw new Error('no space left: the file system has no room for more files');
}
