import type { VariableLookup } from './lookup.ts';
import { parseBoolean } from './parse-boolean.ts';

export type GitStrategy = 'clone' | 'fetch' | 'none' | 'empty';
export type SubmoduleStrategy = 'none' | 'normal' | 'recursive' | 'invalid';

/** What a job's variables configure (spec job-execution.md §17). */
export interface JobSettings {
  readonly debugTrace: boolean;
  readonly debugServices: boolean;
  readonly gitClonePath: string;
  readonly gitStrategy: GitStrategy;
  readonly gitCheckout: boolean;
  readonly submodules: {
    readonly strategy: SubmoduleStrategy;
    readonly paths: readonly string[];
    readonly depth: number;
    readonly updateFlags: readonly string[];
    readonly forceHttps: boolean;
  };
  /** undefined = nothing is cleaned. */
  readonly gitCleanFlags: readonly string[] | undefined;
  readonly gitCloneExtraFlags: readonly string[];
  readonly gitFetchExtraFlags: readonly string[];
  readonly lfsSkipSmudge: boolean;
  readonly attempts: {
    readonly getSources: number;
    readonly artifactDownload: number;
    readonly restoreCache: number;
    readonly executorSection: number;
    readonly secretsRetrieval: number;
  };
  readonly afterScriptIgnoresErrors: boolean;
  readonly cacheRequestTimeoutMinutes: number;
  readonly cacheFallbackKey: string;
  /** Problems found, to be shown as one warning. */
  readonly problems: readonly string[];
}

/** What settings depend on beside the variables. */
export interface SettingsContext {
  readonly allowGitFetch: boolean;
  readonly depth: number;
  readonly debugTraceDisabled: boolean;
}

/** Reads the settings out of a job's expanded variables. */
export function readJobSettings(lookup: VariableLookup, context: SettingsContext): JobSettings {
  const reader = new SettingsReader(lookup);
  const gitStrategy = readGitStrategy(reader, context);
  const hasNoSources = gitStrategy === 'none' || gitStrategy === 'empty';
  return {
    ...readDebug(reader, context),
    gitClonePath: reader.text('GIT_CLONE_PATH'),
    gitStrategy,
    gitCheckout: reader.boolean('GIT_CHECKOUT', true) && !hasNoSources,
    submodules: readSubmodules(reader, context, hasNoSources),
    gitCleanFlags: readCleanFlags(reader),
    gitCloneExtraFlags: words(reader.text('GIT_CLONE_EXTRA_FLAGS')),
    gitFetchExtraFlags: readFetchFlags(reader),
    lfsSkipSmudge: reader.boolean('GIT_LFS_SKIP_SMUDGE', false),
    attempts: {
      getSources: reader.attempts('GET_SOURCES_ATTEMPTS'),
      artifactDownload: reader.attempts('ARTIFACT_DOWNLOAD_ATTEMPTS'),
      restoreCache: reader.attempts('RESTORE_CACHE_ATTEMPTS'),
      executorSection: reader.attempts('EXECUTOR_JOB_SECTION_ATTEMPTS'),
      secretsRetrieval: reader.attempts('SECRETS_RETRIEVAL_ATTEMPTS'),
    },
    afterScriptIgnoresErrors: reader.boolean('AFTER_SCRIPT_IGNORE_ERRORS', true),
    cacheRequestTimeoutMinutes: reader.integer('CACHE_REQUEST_TIMEOUT', 10),
    cacheFallbackKey: reader.text('CACHE_FALLBACK_KEY'),
    problems: reader.problems,
  };
}

function readDebug(reader: SettingsReader, context: SettingsContext) {
  const debugTrace = reader.boolean('CI_DEBUG_TRACE', false);
  const debugServices = reader.boolean('CI_DEBUG_SERVICES', false);
  if (!context.debugTraceDisabled) return { debugTrace, debugServices };
  if (debugTrace) reader.problems.push('CI_DEBUG_TRACE: usage is disabled on this Runner');
  if (debugServices) reader.problems.push('CI_DEBUG_SERVICES: usage is disabled on this Runner');
  return { debugTrace: false, debugServices: false };
}

function readGitStrategy(reader: SettingsReader, context: SettingsContext): GitStrategy {
  const fallback = context.allowGitFetch ? 'fetch' : 'clone';
  const text = reader.text('GIT_STRATEGY');
  switch (text) {
    case '':
      return fallback;
    case 'clone':
    case 'fetch':
    case 'none':
    case 'empty':
      return text;
    default:
      reader.problems.push(
        `GIT_STRATEGY: expected either 'clone', 'fetch', 'none' or 'empty' got "${text}", using default value '${fallback}'`,
      );
      return fallback;
  }
}

function readSubmodules(reader: SettingsReader, context: SettingsContext, hasNoSources: boolean) {
  const strategy = readSubmoduleStrategy(reader);
  return {
    strategy: hasNoSources ? ('none' as const) : strategy,
    paths: words(reader.text('GIT_SUBMODULE_PATHS')),
    depth: reader.integer('GIT_SUBMODULE_DEPTH', context.depth),
    updateFlags: words(reader.text('GIT_SUBMODULE_UPDATE_FLAGS')),
    forceHttps: reader.boolean('GIT_SUBMODULE_FORCE_HTTPS', false),
  };
}

function readSubmoduleStrategy(reader: SettingsReader): SubmoduleStrategy {
  const text = reader.text('GIT_SUBMODULE_STRATEGY');
  switch (text) {
    case '':
    case 'none':
      return 'none';
    case 'normal':
    case 'recursive':
      return text;
    default:
      reader.problems.push(`GIT_SUBMODULE_STRATEGY: expected either 'normal', 'recursive' or 'none' got "${text}"`);
      return 'invalid';
  }
}

function readCleanFlags(reader: SettingsReader): readonly string[] | undefined {
  const text = reader.text('GIT_CLEAN_FLAGS');
  if (text === 'none') return undefined;
  return text.trim() === '' ? ['-ffdx'] : words(text);
}

function readFetchFlags(reader: SettingsReader): readonly string[] {
  const text = reader.text('GIT_FETCH_EXTRA_FLAGS');
  if (text === 'none') return [];
  return text.trim() === '' ? ['--prune', '--quiet'] : words(text);
}

function words(text: string): readonly string[] {
  return text.split(/\s+/u).filter((word) => word !== '');
}

class SettingsReader {
  readonly problems: string[] = [];
  readonly #lookup: VariableLookup;

  constructor(lookup: VariableLookup) {
    this.#lookup = lookup;
  }

  text(name: string): string {
    return this.#lookup(name) ?? '';
  }

  boolean(name: string, fallback: boolean): boolean {
    const text = this.text(name);
    if (text === '') return fallback;
    const value = parseBoolean(text);
    if (value === undefined) this.#complain(name, 'bool', text, fallback);
    return value ?? fallback;
  }

  integer(name: string, fallback: number): number {
    const text = this.text(name);
    if (text === '') return fallback;
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value)) return value;
    this.#complain(name, 'int', text, fallback);
    return fallback;
  }

  attempts(name: string): number {
    const value = this.integer(name, 1);
    const clamped = Math.min(10, Math.max(1, value));
    if (clamped !== value) {
      this.problems.push(`${name}: number of attempts out of the range [1, 10], clamping to: ${clamped}`);
    }
    return clamped;
  }

  #complain(name: string, kind: string, text: string, fallback: boolean | number): void {
    this.problems.push(`${name}: expected ${kind} got "${text}", using default value: ${fallback}`);
  }
}
