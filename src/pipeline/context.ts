import { type Expression, parseExpression } from './expressions/parser.ts';
import type { ChangedFiles, ChangedPaths, FileCommits, PipelineFiles } from './ports.ts';
import type { Problems } from './problems.ts';
import type { RegexEngine } from './regex.ts';

/** What every step of one compilation shares. */
export interface CompileContext {
  readonly problems: Problems;
  readonly repository: Repository;
  readonly expressions: ExpressionCache;
  readonly regexes: LazyRegexEngine;
  /** False: every `changes` clause is true. */
  readonly evaluateChanges: boolean;
}

/** Asks each question about the repository once. */
export class Repository {
  readonly #files: PipelineFiles;
  readonly #changes: ChangedFiles | undefined;
  readonly #commits: FileCommits | undefined;
  readonly #signal: AbortSignal;
  readonly #comparisons = new Map<string, Promise<ChangedPaths>>();
  #list: Promise<readonly string[]> | undefined;

  constructor(
    files: PipelineFiles,
    changes: ChangedFiles | undefined,
    commits: FileCommits | undefined,
    signal: AbortSignal,
  ) {
    this.#files = files;
    this.#changes = changes;
    this.#commits = commits;
    this.#signal = signal;
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    // no file has such a name, and file systems answer it with an exception
    if (path === '' || path.includes('\0')) return undefined;
    return this.#files.read(path, this.#signal);
  }

  list(): Promise<readonly string[]> {
    this.#list ??= this.#files.list(this.#signal);
    return this.#list;
  }

  changedFrom(compareTo: string | undefined): Promise<ChangedPaths> {
    const key = compareTo ?? '';
    const known = this.#comparisons.get(key);
    if (known !== undefined) return known;
    const asked = this.#changes?.compare(compareTo, this.#signal) ?? Promise.resolve({ kind: 'unknown_base' } as const);
    this.#comparisons.set(key, asked);
    return asked;
  }

  /** Undefined also where nobody can tell. */
  async lastCommit(path: string): Promise<string | undefined> {
    return this.#commits?.lastCommit(path, this.#signal);
  }
}

/** Rule expressions by their text: the same few are written in many jobs. */
export class ExpressionCache {
  readonly #known = new Map<string, Expression>();

  /** Throws `ExpressionSyntaxError`. */
  parse(text: string): Expression {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const parsed = parseExpression(text);
    this.#known.set(text, parsed);
    return parsed;
  }
}

/** A regular expression turned up in a place that gave no sign of one; load the engine and start again. */
export class RegexEngineMissing extends Error {}

/** The RE2 engine, loaded before anything is read that may hold a regular expression. */
export class LazyRegexEngine implements RegexEngine {
  readonly #load: () => Promise<RegexEngine>;
  #engine: RegexEngine | undefined;

  constructor(load: () => Promise<RegexEngine>) {
    this.#load = load;
  }

  /** Loads the engine if a text may need it; cheap to call for every file. */
  async ensureFor(text: string): Promise<void> {
    if (SIGNS_OF_REGEX.test(text)) await this.ensure();
  }

  async ensure(): Promise<void> {
    this.#engine ??= await this.#load();
  }

  /** Throws `RegexEngineMissing`. */
  compile(source: string, flags: string): ReturnType<RegexEngine['compile']> {
    if (this.#engine === undefined) throw new RegexEngineMissing('the RE2 engine was not loaded');
    return this.#engine.compile(source, flags);
  }
}

const SIGNS_OF_REGEX = /=~|!~|\bcoverage\b|\bonly\b|\bexcept\b|\bregex\b/;
