import { errorMessage } from '../../lib/errors.ts';
import { makeUsable, removeEmptyDirectory, removeFile } from '../../platform/file-extraction.ts';
import { type FilePath, inspectEntry, listEntries } from '../../platform/file-tree.ts';
import { moveEntry } from '../../platform/move-entry.ts';
import { ArchiveError } from '../archive-error.ts';
import { pathBelow, pathText } from '../archive-path.ts';

/** One entry to move; with a directory goes all below it. */
interface Move {
  readonly path: string;
  /** What has to go first: rename replaces files and links by files and links only. */
  readonly obstacle: 'none' | 'emptyDirectory' | 'file';
}

/** How a tree that was unpacked beside its place comes into it. Made before anything is changed. */
export interface Merge {
  readonly moves: readonly Move[];
  /** Directories that were there already and are kept. */
  readonly entered: readonly { readonly path: string; readonly mode: number }[];
}

/**
 * Looks how a staged tree goes together with what is in the target: what is not there is moved as a whole, directories
 * on both sides are merged, files and links replace files and links.
 * @param isExplicit whether the archive has an entry for a directory (it is not only the parent of another one).
 * @throws ArchiveError naming the entry where something is in the way; no link of the target is followed.
 */
export function planMerge(staging: string, target: string, isExplicit: (path: string) => boolean): Merge {
  const moves: Move[] = [];
  const entered: { path: string; mode: number }[] = [];
  const pending = ['.'];
  for (let parent = pending.pop(); parent !== undefined; parent = pending.pop()) {
    for (const { name, kind } of listEntries(pathBelow(staging, parent))) {
      const path = parent === '.' ? pathText(name) : `${parent}/${pathText(name)}`;
      const there = inspect(pathBelow(target, path), path);
      if (there === undefined) {
        moves.push({ path, obstacle: 'none' });
      } else if (kind === 'directory' && there.kind === 'directory') {
        entered.push({ path, mode: there.mode });
        pending.push(path);
      } else if (kind === 'directory') {
        if (!isExplicit(path)) throw inTheWay(path, there.kind === 'symlink');
        moves.push({ path, obstacle: 'file' });
      } else if (there.kind === 'directory') {
        if (listEntries(pathBelow(target, path)).length > 0) {
          throw new ArchiveError(`cannot extract "${path}": a directory that is not empty is in its place`);
        }
        moves.push({ path, obstacle: 'emptyDirectory' });
      } else {
        moves.push({ path, obstacle: 'none' });
      }
    }
  }
  return { moves, entered };
}

/** Moves everything. @throws ArchiveError naming the entry that cannot be moved. */
export function carryOut({ moves, entered }: Merge, staging: string, target: string): void {
  for (const { path, mode } of entered) makeUsable(pathBelow(target, path), mode);
  for (const { path, obstacle } of moves) {
    const place = pathBelow(target, path);
    try {
      if (obstacle === 'emptyDirectory') removeEmptyDirectory(place);
      else if (obstacle === 'file') removeFile(place);
      moveEntry(pathBelow(staging, path), place);
    } catch (error) {
      throw new ArchiveError(`cannot extract "${path}": ${errorMessage(error)}`, { cause: error });
    }
  }
}

function inspect(place: FilePath, path: string): ReturnType<typeof inspectEntry> {
  try {
    return inspectEntry(place);
  } catch (error) {
    throw new ArchiveError(`cannot extract "${path}": ${errorMessage(error)}`, { cause: error });
  }
}

function inTheWay(path: string, isLink: boolean): ArchiveError {
  const reason = isLink
    ? `"${path}" is a symbolic link, and nothing is written through links`
    : `"${path}" is in the way: it is no directory`;
  return new ArchiveError(`cannot extract what is below "${path}": ${reason}`);
}
