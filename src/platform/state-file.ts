import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { errorMessage, StorageError, systemErrorCode } from '../lib/errors.ts';

/**
 * Replaces a small file that only its owner can read. A killed process leaves the old content or the new, nothing
 * between. Synchronous, so that memory and disk change in the same order.
 * @throws StorageError (disk full, permissions)
 */
export function replaceStateFile(path: string, content: string): void {
  const temporary = `${path}.new`;
  try {
    writeFileSync(temporary, content, { mode: 0o600 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new StorageError(`cannot write ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

/**
 * The content of a small file; undefined when it does not exist.
 * @throws StorageError
 */
export function readStateFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw new StorageError(`cannot read ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

/** Takes an existing folder's access rights from everybody else. */
export function closeFolderToOthers(path: string): void {
  chmodSync(path, 0o700);
}
