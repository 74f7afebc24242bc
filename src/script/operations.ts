/**
 * What a build stage does, as plain data: written by the planners (`git`, `plan`), rendered into script text by
 * `shells`, and carried out by the manager itself where it needs no shell at all. Primitives: spec shells.md §3.3.
 *
 * Paths are those of the job's environment. `expand` means: variables in the arguments are expanded by the shell
 * at run time; everything else is passed on byte for byte.
 */
export type ScriptOperation =
  /** Runs a program; a failure ends the stage. */
  | {
      readonly op: 'command';
      readonly command: string;
      readonly arguments: readonly string[];
      /** true: every `${NAME}` is a reference; a list: only those to these names. */
      readonly expand?: boolean | readonly string[];
    }
  /** Runs a program with a text on its standard input; `bestEffort` ignores a failure. */
  | {
      readonly op: 'commandWithInput';
      readonly input: string;
      readonly command: string;
      readonly arguments: readonly string[];
      readonly bestEffort: boolean;
    }
  /** One entry of a user's script: echoed, then run in the stage's own shell (spec shells.md §3.5). */
  | {
      readonly op: 'userCommand';
      readonly text: string;
      /** Section id `<prefix>_<index>` when multi-line commands are shown as sections. */
      readonly sectionId: string;
      /** Whether a multi-line command gets a section (FF_SCRIPT_SECTIONS and the server's trace_sections). */
      readonly asSection: boolean;
    }
  /** Sets and exports a variable for the rest of the stage. */
  | { readonly op: 'export'; readonly key: string; readonly value: string; readonly expand?: boolean }
  /** Prints `Running on <host name>...`, `via` a named runner host where the environment is another machine. */
  | { readonly op: 'printHost'; readonly via?: string }
  | { readonly op: 'print'; readonly level: 'print' | 'notice' | 'warning' | 'error'; readonly text: string }
  | { readonly op: 'emptyLine' }
  | { readonly op: 'changeDirectory'; readonly path: string }
  | { readonly op: 'makeDirectory'; readonly path: string }
  | { readonly op: 'removeFile'; readonly path: string }
  | { readonly op: 'removeDirectory'; readonly path: string }
  /** Removes every file (or directory) with that base name below a directory, if the directory exists. */
  | {
      readonly op: 'removeByName';
      readonly kind: 'file' | 'directory';
      readonly path: string;
      /** May hold a leading `*` (`*.lock`). */
      readonly name: string;
    }
  /** Writes a file with exactly this content. */
  | { readonly op: 'writeFile'; readonly path: string; readonly content: string }
  | {
      readonly op: 'if';
      readonly condition: ScriptCondition;
      readonly then: readonly ScriptOperation[];
      readonly else: readonly ScriptOperation[];
    }
  /**
   * A helper command that restores or saves a cache, where the runner has a store for caches. The manager puts in what
   * gives access to it when the stage's turn comes (`resolveCacheTransfers`): that is short-lived and no part of a plan.
   */
  | {
      readonly op: 'cacheTransfer';
      readonly use: CacheUse;
      /** Program and leading arguments. */
      readonly helper: readonly string[];
      /** The command's own name first. */
      readonly arguments: readonly string[];
      /** For the helper's environment file, beside the credentials. */
      readonly environment: Readonly<Record<string, string>>;
      /** Where it is written, and how the helper is told. */
      readonly environmentFile: { readonly path: string; readonly argument: string };
      readonly then: readonly ScriptOperation[];
      readonly else: readonly ScriptOperation[];
    }
  /** Text for one shell only, where no primitive says it (credential helper, ownership). Other shells skip it. */
  | { readonly op: 'verbatim'; readonly dialect: ShellDialect; readonly text: string };

export type ScriptCondition =
  | { readonly test: 'isDirectory'; readonly path: string }
  | { readonly test: 'exists'; readonly path: string }
  | { readonly test: 'isReadable'; readonly path: string }
  | {
      readonly test: 'succeeds';
      readonly command: string;
      readonly arguments: readonly string[];
      /** Whether what the program prints is thrown away. */
      readonly silent: boolean;
      readonly expand?: boolean;
    }
  /** Whether git is at least this version; prints a line where it is. */
  | { readonly test: 'gitAtLeast'; readonly version: string };

export type ShellDialect = 'posix' | 'powershell';

/** The object of a cache in the runner's store, and what is to be done with it. */
export interface CacheUse {
  readonly direction: 'download' | 'upload';
  /** The cache's key as the user knows it. */
  readonly key: string;
  /** undefined = the key makes no object: only the local archive is used. */
  readonly object: string | undefined;
  /** Where it would be with the opposite setting of FF_HASH_CACHE_KEYS. */
  readonly alternateObject: string | undefined;
}
