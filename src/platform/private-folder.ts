import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
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

/** Makes a folder (and its parents) that only this account can enter. */
export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
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
  if (!removeSmallFolder(path)) await rm(path, { recursive: true, force: true });
}

const mostSmallFiles = 16;
const smallFileBytes = 1024 * 1024;

/** @returns false when the folder is left to somebody else, perhaps with fewer files in it */
function removeSmallFolder(path: string): boolean {
  try {
    const files = readdirSync(path).map((name) => join(path, name));
    const isSmall = (file: string): boolean => {
      const stats = lstatSync(file);
      return !stats.isDirectory() && stats.size <= smallFileBytes;
    };
    if (files.length > mostSmallFiles || !files.every(isSmall)) return false;
    for (const file of files) unlinkSync(file);
    rmdirSync(path);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'ENOENT' && !existsSync(path);
  }
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
