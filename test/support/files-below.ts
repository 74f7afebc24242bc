import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of every file below a folder; none when it does not exist. What vanishes meanwhile is left out. */
export function filesBelow(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Those of them that hold a text. */
export function filesHolding(folder: string, text: string): readonly string[] {
  return filesBelow(folder).filter((path) => {
    try {
      return readFileSync(path).includes(text);
    } catch {
      return false;
    }
  });
}
