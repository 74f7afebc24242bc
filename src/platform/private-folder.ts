import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
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

/** As `removeTree`, off the event loop. */
export async function removeTreeAsync(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

/** Free space below which a disk counts as full: a plan, its scripts and some output must fit. */
const leastFreeBytes = 4 * 1024 * 1024;

/**
 * Finds out whether files can be written below a folder.
 * @throws the system's error, or one that says how little is free.
 */
export function probeWritable(folder: string): void {
  const probe = join(folder, `.probe-${process.pid}`);
  closeSync(openSync(probe, 'w', 0o600));
  rmSync(probe, { force: true });
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < leastFreeBytes) throw new Error(`no space left: ${bavail * bsize} bytes are free`);
}
