import { setImmediate } from 'node:timers/promises';
import { errorMessage } from '../../lib/errors.ts';
import { type EntryFacts, type EntryKind, inspectEntry, isDirectory, listEntries } from '../../platform/file-tree.ts';
import { pathBelow, pathText } from '../archive-path.ts';
import {
  advance,
  coversEverythingBelow,
  type Glob,
  type GlobState,
  isAlive,
  isMatch,
  onlyThroughBase,
  possibleNames,
} from './glob.ts';

/** What the walk tells of each entry that an include names. */
export interface WalkVisitor {
  /** `includes` are indexes of the patterns that select it. */
  selected(path: string, facts: EntryFacts, includes: readonly number[]): void;
  /** It would be selected, but this exclude (index) takes it out. */
  excluded(path: string, exclude: number): void;
  problem(path: string, message: string): void;
}

interface IncludeState {
  readonly index: number;
  /** `all`: everything below is selected. */
  readonly state: GlobState | 'all';
}

interface Directory {
  readonly path: string;
  readonly includes: readonly IncludeState[];
  readonly excludes: readonly GlobState[];
}

const noStates: readonly GlobState[] = [];

/** Entries between two breaths of the event loop. */
const batchSize = 2000;

/**
 * Walks the tree once for all patterns. Goes only where an include can still match, never into a subtree that an
 * exclude covers, and never through a link but those that an include names literally.
 */
export async function walkTree(
  root: string,
  patterns: { readonly includes: readonly Glob[]; readonly excludes: readonly Glob[] },
  visitor: WalkVisitor,
  signal: AbortSignal,
): Promise<void> {
  const walk = new TreeWalk(root, patterns.includes, patterns.excludes, visitor);
  const pending: Directory[] = walk.begin();
  let visited = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const before = visited;
    visited += walk.visit(next, pending);
    if (Math.floor(before / batchSize) !== Math.floor(visited / batchSize)) await setImmediate();
    signal.throwIfAborted();
  }
}

class TreeWalk {
  readonly #root: string;
  readonly #includes: readonly Glob[];
  readonly #excludes: readonly Glob[];
  readonly #visitor: WalkVisitor;
  readonly #indexes = new WeakMap<readonly IncludeState[], readonly number[]>();

  constructor(root: string, includes: readonly Glob[], excludes: readonly Glob[], visitor: WalkVisitor) {
    this.#root = root;
    this.#includes = includes;
    this.#excludes = excludes;
    this.#visitor = visitor;
  }

  /** Handles the root itself and says where to go first. */
  begin(): Directory[] {
    const matching = this.#includes.flatMap((glob, index) => (isMatch(glob, glob.start) ? [index] : []));
    const rootStates = this.#excludes.map((glob) => advance(glob, glob.start, '.'));
    if (matching.length > 0) this.#offer('.', matching, rootStates);
    const includes = this.#includes.map(
      (glob, index): IncludeState => ({ index, state: isMatch(glob, glob.start) ? 'all' : glob.start }),
    );
    return [{ path: '.', includes, excludes: this.#excludes.map((glob) => glob.start) }];
  }

  /** Visits the children of a directory; adds those to go into. @returns how many there were. */
  visit(directory: Directory, pending: Directory[]): number {
    const children = this.#children(directory);
    const isAll = this.#excludes.length === 0 && directory.includes.every(({ state }) => state === 'all');
    const before = directory.path === '.' ? '' : `${directory.path}/`;
    for (const child of children) {
      if (isAll) this.#takeAll(directory, before + child.name, child.kind, pending);
      else this.#visitChild(directory, before + child.name, child, pending);
    }
    return children.length;
  }

  /** As `#visitChild`, where nothing is left to decide: most of a tree is below what was named. */
  #takeAll(directory: Directory, path: string, kind: EntryKind, pending: Directory[]): void {
    this.#offer(path, this.#matchingAll(directory), noStates);
    if (kind === 'directory') pending.push({ path, includes: directory.includes, excludes: noStates });
  }

  #matchingAll({ includes }: Directory): readonly number[] {
    let matching = this.#indexes.get(includes);
    if (matching === undefined) {
      matching = includes.map(({ index }) => index);
      this.#indexes.set(includes, matching);
    }
    return matching;
  }

  #visitChild(
    directory: Directory,
    path: string,
    child: { name: string; kind: EntryKind },
    pending: Directory[],
  ): void {
    const matching: number[] = [];
    const reached: IncludeState[] = [];
    for (const { index, state } of directory.includes) {
      const glob = this.#includes[index];
      if (glob === undefined) continue;
      const next = state === 'all' ? 'all' : advance(glob, state, child.name);
      const selects = next === 'all' || isMatch(glob, next);
      if (selects) matching.push(index);
      if (selects && child.kind === 'directory') reached.push({ index, state: 'all' });
      else if (next !== 'all' && isAlive(glob, next)) reached.push({ index, state: next });
    }
    if (matching.length === 0 && reached.length === 0) return;
    const excludes = this.#excludes.map((glob, index) => advance(glob, directory.excludes[index] ?? [], child.name));
    if (matching.length > 0) this.#offer(path, matching, excludes);
    const isPruned = excludes.some((state, index) => {
      const glob = this.#excludes[index];
      return glob !== undefined && coversEverythingBelow(glob, state);
    });
    if (isPruned) return;
    const includes = this.#passable(path, child.kind, reached);
    if (includes.length > 0) pending.push({ path, includes, excludes });
  }

  /** What is left of the includes inside this child. */
  #passable(path: string, kind: EntryKind, reached: readonly IncludeState[]): readonly IncludeState[] {
    if (kind === 'directory') return reached;
    if (kind !== 'symlink') return [];
    const through: IncludeState[] = [];
    for (const { index, state } of reached) {
      const glob = this.#includes[index];
      if (glob === undefined || state === 'all') continue;
      const rest = onlyThroughBase(glob, state);
      if (rest.length > 0) through.push({ index, state: rest });
    }
    return through.length > 0 && isDirectory(pathBelow(this.#root, path)) ? through : [];
  }

  #offer(path: string, includes: readonly number[], excludes: readonly GlobState[]): void {
    const exclude = excludes.findIndex((state, index) => {
      const glob = this.#excludes[index];
      return glob !== undefined && isMatch(glob, state);
    });
    if (exclude >= 0) {
      this.#visitor.excluded(path, exclude);
      return;
    }
    try {
      const facts = inspectEntry(pathBelow(this.#root, path));
      if (facts !== undefined) this.#visitor.selected(path, facts, includes);
    } catch (error) {
      this.#visitor.problem(path, errorMessage(error));
    }
  }

  /** Where only literal names can match, the directory is not read. */
  #children(directory: Directory): readonly { name: string; kind: EntryKind }[] {
    const wanted = new Set<string>();
    for (const { index, state } of directory.includes) {
      const glob = this.#includes[index];
      const names = glob === undefined || state === 'all' ? undefined : possibleNames(glob, state);
      if (names === undefined) {
        return listEntries(pathBelow(this.#root, directory.path)).map(({ name, kind }) => ({
          name: pathText(name),
          kind,
        }));
      }
      for (const name of names) wanted.add(name);
    }
    return [...wanted].flatMap((name) => {
      const path = directory.path === '.' ? name : `${directory.path}/${name}`;
      try {
        const facts = inspectEntry(pathBelow(this.#root, path));
        return facts === undefined ? [] : [{ name, kind: facts.kind }];
      } catch (error) {
        this.#visitor.problem(path, errorMessage(error));
        return [];
      }
    });
  }
}
