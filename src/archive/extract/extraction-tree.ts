import { posix } from 'node:path';
import { errorMessage, systemErrorCode } from '../../lib/errors.ts';
import {
  changeMode,
  createNewFile,
  finishDirectory,
  finishFile,
  makeLink,
  makeOneDirectory,
} from '../../platform/file-extraction.ts';
import { closeDescriptor, type FilePath } from '../../platform/file-tree.ts';
import { makeUnpackFolder, removeUnpackFolder } from '../../platform/unpack-folder.ts';
import { ArchiveError } from '../archive-error.ts';
import { pathBelow } from '../archive-path.ts';
import { carryOut, planMerge } from './merge-tree.ts';
import { type ArchivedMetadata, ownedMetadata } from './owned-metadata.ts';

/**
 * The directory an archive is unpacked into. Everything is made in a private folder inside it first; only when all is
 * there does `finish` move it to its places. So an archive that turns out damaged, a full disk or a kill leave what was
 * there as it was, and nothing is written through a symbolic link: the folder has none until all files are written, and
 * those of the target are looked at before anything is moved. Paths are relative and clean.
 */
export class ExtractionTree {
  /** Where entries are made; moved to the target by `finish`. */
  readonly root: string;
  readonly #target: string;
  readonly #now: number;
  readonly #directories = new Set<string>(['.']);
  readonly #links: { readonly path: string; readonly text: Buffer; readonly metadata: ArchivedMetadata }[] = [];
  readonly #directoryMetadata = new Map<string, ArchivedMetadata>();

  /** @throws ArchiveError where nothing can be written in the target. */
  constructor(target: string, nowMs: number) {
    this.#target = target;
    this.#now = nowMs;
    this.root = this.#wrap('.', () => makeUnpackFolder(target));
  }

  /** Makes a directory. Its metadata is set by `finish`. */
  addDirectory(path: string, metadata: ArchivedMetadata): void {
    this.#wrap(path, () => this.#ensureDirectory(path));
    this.#directoryMetadata.set(path, metadata);
  }

  /** Notes a directory that was made below `root` already. Its metadata is set by `finish`. */
  noteDirectory(path: string, metadata: ArchivedMetadata): void {
    this.#directories.add(path);
    this.#directoryMetadata.set(path, metadata);
  }

  /** Makes the directory that an entry lies in. */
  addParent(path: string): void {
    const parent = posix.dirname(path);
    if (!this.#directories.has(parent)) this.#wrap(path, () => this.#ensureDirectory(parent));
  }

  /** Creates a file. @returns its descriptor, for `finishFile` or `abandonFile`. */
  createFile(path: string): number {
    this.addParent(path);
    return this.#wrap(path, () => createNewFile(this.#staged(path)));
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

  /**
   * Makes the links, moves everything to its place, then gives directories their times and modes, deepest first.
   * @throws ArchiveError naming the entry that has something in its way; nothing is moved then.
   */
  finish(): void {
    for (const { path, text, metadata } of this.#links) {
      this.addParent(path);
      this.#wrap(path, () => makeLink(this.#staged(path), text, ownedMetadata(metadata), this.#now));
    }
    const merge = planMerge(this.root, this.#target, (path) => this.#directoryMetadata.has(path));
    carryOut(merge, this.root, this.#target);
    for (const { path, mode } of merge.entered) {
      if ((mode & 0o700) !== 0o700 && !this.#directoryMetadata.has(path)) this.#restoreMode(path, mode);
    }
    const deepestFirst = [...this.#directoryMetadata].sort(([a], [b]) => (a < b ? 1 : -1));
    for (const [path, metadata] of deepestFirst) {
      this.#wrap(path, () => finishDirectory(this.#final(path), ownedMetadata(metadata), this.#now));
    }
  }

  /** Removes what was not moved. Idempotent, and to be called in any case. */
  async close(): Promise<void> {
    await removeUnpackFolder(this.root);
  }

  #staged(path: string): FilePath {
    return pathBelow(this.root, path);
  }

  #final(path: string): FilePath {
    return pathBelow(this.#target, path);
  }

  #ensureDirectory(path: string): void {
    if (this.#directories.has(path)) return;
    this.#ensureDirectory(posix.dirname(path));
    try {
      makeOneDirectory(this.#staged(path));
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    }
    this.#directories.add(path);
  }

  #restoreMode(path: string, mode: number): void {
    this.#wrap(path, () => changeMode(this.#final(path), mode & 0o7777));
  }

  #wrap<T>(path: string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      const detail = systemErrorCode(error) === 'EEXIST' ? 'the archive has it twice' : errorMessage(error);
      throw new ArchiveError(`cannot extract "${path}": ${detail}`, { cause: error });
    }
  }
}
