import { join } from 'node:path';
import { randomHex } from './random.ts';
import { readStateFile, replaceStateFile } from './state-file.ts';

/**
 * A random name for a state folder that stays the same as long as the folder: what managers make elsewhere carries it,
 * so that another manager with the same folder knows it as theirs.
 * @throws StorageError
 */
export function instanceName(stateFolder: string): string {
  const path = join(stateFolder, 'instance');
  const known = readStateFile(path);
  if (known !== undefined && known !== '') return known;
  replaceStateFile(path, randomHex(12));
  // Of two managers that start at the same time both take the one that came last.
  return readStateFile(path) ?? '';
}
