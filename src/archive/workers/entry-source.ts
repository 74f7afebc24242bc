import { errorMessage, systemErrorCode } from '../../lib/errors.ts';
import { readFileInto } from '../../platform/batch-files.ts';
import { type EntryFacts, readLinkTarget } from '../../platform/file-tree.ts';
import { ArchiveError } from '../archive-error.ts';
import { pathBelow } from '../archive-path.ts';

/**
 * Reads what an archive holds of an entry (a file's bytes, a link's text, nothing of a directory) into a buffer.
 * @returns its length; undefined where there is nothing to archive, and `problems` says why.
 * @throws ArchiveError where it cannot be read.
 */
export function readEntryInto(
  root: string,
  path: string,
  facts: EntryFacts,
  buffer: Buffer,
  problems: string[],
): number | undefined {
  try {
    switch (facts.kind) {
      case 'file': {
        const count = readFileInto(pathBelow(root, path), buffer, 0, facts.sizeBytes);
        if (typeof count === 'number') return count;
        problems.push(`File ignored: ${path} is no regular file any more`);
        return undefined;
      }
      case 'symlink':
        return readLinkTarget(pathBelow(root, path)).copy(buffer);
      case 'directory':
        return 0;
      case 'special':
        problems.push(`File ignored: ${path}`);
        return undefined;
    }
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') {
      throw new ArchiveError(`cannot read "${path}": ${errorMessage(error)}`, { cause: error });
    }
    problems.push(`File ignored: ${errorMessage(error)}`);
    return undefined;
  }
}

/** The longest text a link can have. */
export const linkTextBytes = 4096;

/** Room that an entry's content needs in a buffer. */
export function contentRoom({ kind, sizeBytes }: EntryFacts): number {
  if (kind === 'symlink') return linkTextBytes;
  return kind === 'file' ? sizeBytes : 0;
}
