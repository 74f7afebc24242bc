import { errorMessage } from '../../lib/errors.ts';
import type { Logger } from '../../observability/logger.ts';
import { inspectEntry } from '../../platform/file-tree.ts';
import { unpackFolderPrefix } from '../../platform/unpack-folder.ts';
import { pathBelow, sortByPath } from '../archive-path.ts';
import { type Glob, matchesPath } from './glob.ts';
import { parsePathPattern } from './path-pattern.ts';
import type { SelectedEntry } from './selected-entry.ts';
import { walkTree } from './walk.ts';

export interface SelectionRequest {
  /** Absolute; everything selected lies below it. */
  readonly root: string;
  readonly paths: readonly string[];
  readonly excludes: readonly string[];
  readonly untracked: boolean;
}

export interface SelectionPorts {
  /** Gets the lines of spec cache-artifacts.md §2. */
  readonly log: Logger;
  /**
   * Paths below the root that git does not track, ignored ones included (see `untracked.ts`).
   * @throws where git cannot tell.
   */
  readonly listUntracked: (root: string, signal: AbortSignal) => Promise<readonly string[]>;
}

interface NamedGlob {
  /** As the user wrote it. */
  readonly text: string;
  readonly glob: Glob;
}

/**
 * Finds what to archive (spec cache-artifacts.md §2): paths and globs, each match with all below it, without excludes,
 * plus untracked files. Sorted by the bytes of the paths, each entry once. Whatever cannot be found is a warning.
 */
export async function selectFiles(
  request: SelectionRequest,
  ports: SelectionPorts,
  signal: AbortSignal,
): Promise<readonly SelectedEntry[]> {
  const collection = new Collection(request.root, readExcludes(request, ports.log), ports.log);
  await collection.addPaths(readIncludes(request, ports.log), signal);
  if (request.untracked) await collection.addUntracked(ports.listUntracked, signal);
  return collection.finish();
}

/** The include patterns that can be used; `glob` is undefined where a line has been logged already. */
function readIncludes(request: SelectionRequest, log: Logger): readonly NamedGlob[] {
  return request.paths.flatMap((text) => {
    try {
      const parsed = parsePathPattern(text, request.root);
      if (parsed.kind === 'pattern') return [{ text, glob: parsed.glob }];
      if (parsed.kind === 'empty') log.warn('No matching files. Path is empty.');
      else log.warn(`processPath: artifact path is not a subpath of project directory: ${text}`);
    } catch (error) {
      log.warn(`${text}: ${errorMessage(error)}`);
    }
    return [];
  });
}

/** A malformed exclude excludes nothing. */
function readExcludes(request: SelectionRequest, log: Logger): readonly NamedGlob[] {
  return request.excludes.flatMap((text) => {
    try {
      const parsed = parsePathPattern(text, request.root);
      if (parsed.kind === 'pattern') return [{ text, glob: parsed.glob }];
      if (parsed.kind === 'outside') {
        log.warn(`isExcluded: artifact path is not a subpath of project directory: ${text}`);
      }
    } catch {
      log.debug('Exclude pattern is malformed', { pattern: text });
    }
    return [];
  });
}

class Collection {
  readonly #root: string;
  readonly #excludes: readonly NamedGlob[];
  readonly #log: Logger;
  readonly #entries = new Map<string, SelectedEntry>();
  readonly #excludedCounts: number[];

  constructor(root: string, excludes: readonly NamedGlob[], log: Logger) {
    this.#root = root;
    this.#excludes = excludes;
    this.#log = log;
    this.#excludedCounts = excludes.map(() => 0);
  }

  async addPaths(includes: readonly NamedGlob[], signal: AbortSignal): Promise<void> {
    const found = includes.map(() => 0);
    const globs = { includes: includes.map(({ glob }) => glob), excludes: this.#excludes.map(({ glob }) => glob) };
    await walkTree(
      this.#root,
      globs,
      {
        selected: (path, facts, matching) => {
          if (isBeingUnpacked(path)) return;
          this.#entries.set(path, { path, facts });
          for (const index of matching) found[index] = (found[index] ?? 0) + 1;
        },
        excluded: (_path, exclude) => this.#countExcluded(exclude),
        problem: (path, message) => this.#log.warn(`${path}: ${message}`),
      },
      signal,
    );
    for (const [index, { text }] of includes.entries()) this.#reportFound(text, found[index] ?? 0);
  }

  async addUntracked(list: SelectionPorts['listUntracked'], signal: AbortSignal): Promise<void> {
    let paths: readonly string[];
    try {
      paths = await list(this.#root, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#log.warn(`untracked: ${errorMessage(error)}`);
      return;
    }
    const count = paths.filter((path) => this.#addOne(path)).length;
    if (count === 0) this.#log.warn('untracked: no files');
    else this.#log.info(`untracked: found ${count} files`);
  }

  finish(): readonly SelectedEntry[] {
    for (const [index, { text }] of this.#excludes.entries()) {
      const count = this.#excludedCounts[index] ?? 0;
      if (count > 0) this.#log.info(`${text}: excluded ${count} files`);
    }
    return sortByPath([...this.#entries.values()]);
  }

  #addOne(listed: string): boolean {
    // A nested repository is listed as `dir/`: its directory entry alone.
    const path = listed.endsWith('/') ? listed.slice(0, -1) : listed;
    if (isBeingUnpacked(path)) return false;
    const exclude = this.#excludes.findIndex(({ glob }) => matchesPath(glob, path));
    if (exclude >= 0) {
      this.#countExcluded(exclude);
      return false;
    }
    try {
      const facts = inspectEntry(pathBelow(this.#root, path));
      if (facts !== undefined) this.#entries.set(path, { path, facts });
      return facts !== undefined;
    } catch (error) {
      this.#log.warn(`${path}: ${errorMessage(error)}`);
      return false;
    }
  }

  #countExcluded(index: number): void {
    this.#excludedCounts[index] = (this.#excludedCounts[index] ?? 0) + 1;
  }

  #reportFound(text: string, count: number): void {
    if (count > 0) {
      this.#log.info(`${text}: found ${count} matching artifact files and directories`);
      return;
    }
    const advice = `Ensure that the artifact path is relative to the working directory (${this.#root})`;
    this.#log.warn(`${text}: no matching files. ${advice}`);
  }
}

/** What another of our commands unpacks, or a killed one has left, is nobody's file. */
function isBeingUnpacked(path: string): boolean {
  return path.startsWith(unpackFolderPrefix);
}
