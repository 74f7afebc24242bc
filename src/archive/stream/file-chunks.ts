import { errorMessage, systemErrorCode } from '../../lib/errors.ts';
import { closeDescriptor, type OpenedFile, openForReading, readAt, readAtLater } from '../../platform/file-tree.ts';
import { ArchiveError } from '../archive-error.ts';
import { pathBelow } from '../archive-path.ts';
import { chunkBytes, chunkWeight } from './deflate-chunk.ts';

/** A regular file opened for archiving. Only what it held when it was opened is read: it may grow meanwhile. */
export interface SourceFile {
  readonly opened: OpenedFile;
  readonly chunkCount: number;
  /** Memory that packing one piece takes. */
  readonly chunkWeight: number;
  /** Reads one piece; short or empty where the file has shrunk. */
  readChunk(index: number): Buffer | Promise<Buffer>;
  /** Idempotent. */
  close(): void;
}

/**
 * Opens a file below the root.
 * @returns undefined where it is gone or is no regular file any more; `problem` has then been told.
 * @throws ArchiveError where it cannot be read.
 */
export function openSource(root: string, path: string, problem: (message: string) => void): SourceFile | undefined {
  let opened: OpenedFile;
  try {
    opened = openForReading(pathBelow(root, path));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') {
      problem(`File ignored: ${errorMessage(error)}`);
      return undefined;
    }
    throw new ArchiveError(`cannot read "${path}": ${errorMessage(error)}`, { cause: error });
  }
  if (opened.facts.kind !== 'file') {
    closeDescriptor(opened.descriptor);
    problem(`File ignored: ${path} is no regular file any more`);
    return undefined;
  }
  return sourceOf(opened);
}

function sourceOf(opened: OpenedFile): SourceFile {
  const { descriptor, facts } = opened;
  const chunkCount = Math.max(1, Math.ceil(facts.sizeBytes / chunkBytes));
  let isOpen = true;
  return {
    opened,
    chunkCount,
    // Even the smallest file costs an object, a header and an open file for a moment.
    chunkWeight: Math.min(chunkWeight, 1024 + 2 * facts.sizeBytes),
    readChunk: (index) => {
      const position = index * chunkBytes;
      const length = Math.min(chunkBytes, facts.sizeBytes - position);
      return chunkCount === 1 ? readAt(descriptor, position, length) : readAtLater(descriptor, position, length);
    },
    close: () => {
      if (isOpen) closeDescriptor(descriptor);
      isOpen = false;
    },
  };
}
