import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Changes when one of the files is written, replaced, made or removed; nothing is read. Of a folder the entries are
 * looked at, not what is below them.
 */
export function fileMarks(paths: readonly string[]): string {
  return paths.map((path) => [path, ...entriesOf(path)].map(markOf).join(' ')).join(' ');
}

function markOf(path: string): string {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats === undefined ? '-' : `${stats.ino}.${stats.size}.${stats.mtimeMs}`;
  } catch {
    return '?';
  }
}

function entriesOf(path: string): readonly string[] {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
    return readdirSync(path)
      .sort()
      .map((name) => join(path, name));
  } catch {
    return [];
  }
}
