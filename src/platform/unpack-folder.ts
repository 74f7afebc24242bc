import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { randomHex } from './random.ts';

/** What the name of every folder that is unpacked into starts with. */
export const unpackFolderPrefix = '.millrace-unpack-';

/** Older than any unpacking takes: it is of a program that was killed. */
const abandonedAfterMs = 60 * 60_000;

/**
 * Makes a private folder below a directory, for what is not ready to be seen. What killed programs left there is
 * removed.
 * @returns its path.
 */
export function makeUnpackFolder(parent: string): string {
  for (const name of readdirSync(parent)) {
    if (name.startsWith(unpackFolderPrefix)) removeAbandoned(join(parent, name));
  }
  const path = join(parent, `${unpackFolderPrefix}${randomHex(8)}`);
  mkdirSync(path, { mode: 0o700 });
  return path;
}

function removeAbandoned(path: string): void {
  const changedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
  if (Date.now() - changedAt > abandonedAfterMs) rmSync(path, { recursive: true, force: true });
}

/** Removes a folder and all in it. Idempotent. */
export async function removeUnpackFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

/** The mask of new files' permissions. */
export function currentUmask(): number {
  return process.umask();
}
