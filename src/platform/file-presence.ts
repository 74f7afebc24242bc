import { existsSync } from 'node:fs';

/** Whether a path leads to something. Cheap where it usually does not: nothing is thrown. */
export function isPresent(path: string): boolean {
  return existsSync(path);
}
