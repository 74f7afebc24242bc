import { isSea } from 'node:sea';

/** Program and leading arguments that start this program again: itself, or Node with our main file. */
export function selfCommand(): readonly string[] {
  return isSea() ? [process.execPath] : [process.execPath, process.argv[1] ?? ''];
}
