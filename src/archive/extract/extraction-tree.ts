import { posix } from 'node:path';
import { errorMessage, systemErrorCode } from '../../lib/errors.ts';
import {
  createNewFile,
  type EntryMetadata,
  finishDirectory,
  finishFile,
  isForeignOwner,
  makeLink,
  makeOneDirectory,
  makeUsable,
  removeEmptyDirectory,
  removeFile,
} from '../../platform/file-extraction.ts';
import { closeDescriptor, inspectEntry } from '../../platform/file-tree.ts';
import { ArchiveError } from '../archive-error.ts';
import { pathBelow } from '../archive-path.ts';

/** What an archive says of an entry's owner and times. */
export interface ArchivedMetadata {
  readonly mode: number;
  readonly modifiedMs: number;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

/**
 * The directory an archive is unpacked into. Writes nothing through a symbolic link, neither one that was there nor
 * one of the archive: links are made last, and every directory on the way is checked. Paths are relative and clean.
 */
export class ExtractionTree {
  readonly #target: string;
  readonly #now: number;
  /** Directories known to be real. */
  readonly #directories = new Set<string>(['.']);
  readonly #links: { readonly path: string; readonly text: Buffer; readonly metadata: ArchivedMetadata }[] = [];
  readonly #directoryMetadata = new Map<string, ArchivedMetadata>();

  constructor(target: string, nowMs: number) {
    this.#target = target;
    this.#now = nowMs;
  }

  /** Makes a directory; a file or link in its place is replaced. Its metadata is set by `finish`. */
  addDirectory(path: string, metadata: ArchivedMetadata): void {
    this.#wrap(path, () => {
      if (path !== '.') {
        this.#ensureDirectory(posix.dirname(path));
        const facts = inspectEntry(this.#full(path));
        if (facts !== undefined && facts.kind !== 'directory') removeFile(this.#full(path));
        if (facts?.kind === 'directory') makeUsable(this.#full(path), facts.mode);
        else makeOneDirectory(this.#full(path));
        this.#directories.add(path);
      }
      this.#directoryMetadata.set(path, metadata);
    });
  }

  /** Creates a file in place of whatever is there. @returns its descriptor, for `finishFile` or `abandonFile`. */
  createFile(path: string): number {
    return this.#wrap(path, () => {
      if (path === '.') throw new Error('it is the target directory');
      this.#ensureDirectory(posix.dirname(path));
      return this.#inFreePlace(path, () => createNewFile(this.#full(path)));
    });
  }

  /** Sets a file's metadata and closes it. */
  finishFile(path: string, descriptor: number, metadata: ArchivedMetadata): void {
    this.#wrap(path, () => finishFile(descriptor, ownedMetadata(metadata), this.#now));
  }

  abandonFile(descriptor: number): void {
    closeDescriptor(descriptor);
  }

  /** Notes a symbolic link; `finish` makes it. */
  addLink(path: string, text: Buffer, metadata: ArchivedMetadata): void {
    this.#links.push({ path, text, metadata });
  }

  /** Makes the links, then gives directories their times and modes, deepest first. */
  finish(): void {
    for (const { path, text, metadata } of this.#links) {
      this.#wrap(path, () => {
        if (path === '.') throw new Error('it is the target directory');
        this.#ensureDirectory(posix.dirname(path));
        this.#inFreePlace(path, () => makeLink(this.#full(path), text, ownedMetadata(metadata), this.#now));
      });
    }
    const deepestFirst = [...this.#directoryMetadata].sort(([a], [b]) => (a < b ? 1 : -1));
    for (const [path, metadata] of deepestFirst) {
      this.#wrap(path, () => finishDirectory(this.#full(path), ownedMetadata(metadata), this.#now));
    }
  }

  #full(path: string) {
    return pathBelow(this.#target, path);
  }

  #ensureDirectory(path: string): void {
    if (this.#directories.has(path)) return;
    this.#ensureDirectory(posix.dirname(path));
    const facts = inspectEntry(this.#full(path));
    if (facts === undefined) makeOneDirectory(this.#full(path));
    else if (facts.kind === 'symlink')
      throw new Error(`"${path}" is a symbolic link, and nothing is written through links`);
    else if (facts.kind !== 'directory') throw new Error(`"${path}" is in the way: it is no directory`);
    this.#directories.add(path);
  }

  /** Tries first, since mostly nothing is in the way; then removes what is. */
  #inFreePlace<T>(path: string, create: () => T): T {
    try {
      return create();
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    }
    if (inspectEntry(this.#full(path))?.kind === 'directory') {
      removeEmptyDirectory(this.#full(path));
      this.#directories.delete(path);
    } else {
      removeFile(this.#full(path));
    }
    return create();
  }

  #wrap<T>(path: string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw new ArchiveError(`cannot extract "${path}": ${errorMessage(error)}`, { cause: error });
    }
  }
}

function ownedMetadata(metadata: ArchivedMetadata): EntryMetadata {
  const { mode, modifiedMs, uid, gid } = metadata;
  const owner = uid !== undefined && gid !== undefined && isForeignOwner(uid, gid) ? { uid, gid } : undefined;
  return { mode, modifiedMs, owner };
}
