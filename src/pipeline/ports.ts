/** The repository's files as the compiler needs them: the working tree, tracked and untracked-but-not-ignored files. */
export interface PipelineFiles {
  /**
   * Content of a file; undefined if there is none. Paths are relative to the top of the work tree, with `/`, and
   * never lead out of it. May be called concurrently.
   */
  read(path: string, signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** All paths, sorted by bytes. Asked for only when a glob, `rules:exists` or the like needs it. */
  list(signal: AbortSignal): Promise<readonly string[]>;
}

/** What `ChangedFiles.compare` found. */
export type ChangedPaths =
  | { readonly kind: 'paths'; readonly paths: readonly string[] }
  /** Nothing to compare with: every `changes` clause is true, as on GitLab. */
  | { readonly kind: 'unknown_base' }
  /** The given `compare_to` names no commit. */
  | { readonly kind: 'unknown_ref' };

/** Which files differ from the base that `changes` clauses look at (spec local-pipeline.md §8.1). */
export interface ChangedFiles {
  /**
   * Compares the working tree with the merge base of `compareTo`, or with the default base if undefined.
   * Asked for only when a `changes` clause is evaluated; at most once per `compareTo`.
   */
  compare(compareTo: string | undefined, signal: AbortSignal): Promise<ChangedPaths>;
}

/** Who touched a path last; for `cache:key:files_commits`. */
export interface FileCommits {
  /** Id of the last commit that touched the path, undefined if none did. */
  lastCommit(path: string, signal: AbortSignal): Promise<string | undefined>;
}
