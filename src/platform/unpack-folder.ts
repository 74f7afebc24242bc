import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { randomHex } from './random.ts';

/** What the name of every folder that is unpacked into starts with. */
export const unpackFolderPrefix = '.millrace-unpack-';

/** Makes a private folder below a directory, for what is not ready to be seen. @returns its path. */
export function makeUnpackFolder(parent: string): string {
  const path = join(parent, `${unpackFolderPrefix}${randomHex(8)}`);
  mkdirSync(path, { mode: 0o700 });
  return path;
}

/** Removes a folder and all in it. Idempotent. */
export async function removeUnpackFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

/** The mask of new files' permissions. */
export function currentUmask(): number {
  return process.umask();
}
