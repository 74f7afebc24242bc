import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemErrorCode } from '../lib/errors.ts';

/**
 * Makes a folder and the parents it lacks. Node's own recursive form never returns where a file system knows the parent
 * and still refuses the folder with "no such file" (`/proc` does).
 * @throws the system's error
 */
export function makeFolders(path: string, mode: number): void {
  if (makeOne(path, mode) === 'made') return;
  const parent = dirname(path);
  if (parent !== path) makeFolders(parent, mode);
  mkdirOrFind(path, mode);
}

function makeOne(path: string, mode: number): 'made' | 'no parent' {
  try {
    mkdirOrFind(path, mode);
    return 'made';
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return 'no parent';
    throw error;
  }
}

/** A folder that is there already is fine, a file is not. */
function mkdirOrFind(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (!isFolder(path)) throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
