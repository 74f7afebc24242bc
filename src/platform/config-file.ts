import { readFile, stat } from 'node:fs/promises';
import { errorMessage, StorageError, systemErrorCode } from '../lib/errors.ts';

export interface ConfigFileContent {
  readonly text: string;
  readonly modifiedAtMs: number;
}

/**
 * A text file with its time of change; undefined when it does not exist.
 * @throws StorageError
 */
export async function readConfigFile(path: string): Promise<ConfigFileContent | undefined> {
  try {
    const { mtimeMs } = await stat(path);
    return { text: await readFile(path, 'utf8'), modifiedAtMs: mtimeMs };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw new StorageError(`cannot read ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

/** Whether there is a file at this path. */
export async function fileExists(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ?? false;
}
