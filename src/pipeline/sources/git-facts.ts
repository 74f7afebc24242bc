/** What git says about the checkout that a pipeline runs for (spec local-pipeline.md §13). Plain data. */
export interface GitFacts {
  /** Absolute path of the top of the work tree; of the folder itself where there is no repository. */
  readonly workTree: string;
  /** False where the folder is no git repository; the other facts are then defaults. */
  readonly isRepository: boolean;
  /** Commit that the jobs check out: `HEAD`, or the snapshot commit once one was made; all zeros before the first commit. */
  readonly sha: string;
  /** First 8 digits of `sha`. */
  readonly shortSha: string;
  /** `HEAD` itself, undefined before the first commit. */
  readonly headSha: string | undefined;
  /**
   * Branch of the pipeline, undefined in tag mode. With a detached HEAD the branch that points at it (the default
   * branch first), else `HEAD`.
   */
  readonly branch: string | undefined;
  /** Only in tag mode (asked for by name); never guessed from a tag at HEAD. */
  readonly tag: string | undefined;
  /** Message of an annotated `tag`, else empty. */
  readonly tagMessage: string;
  /** `tag` or `branch`. */
  readonly refName: string;
  /** Tip of the upstream branch, else all zeros. */
  readonly beforeSha: string;
  /** Whole message of HEAD's commit, empty before the first one. */
  readonly message: string;
  /** `Name <mail>` */
  readonly author: string;
  /** Committer date of HEAD, ISO 8601 with offset. */
  readonly timestamp: string;
  /** URL of `origin` (else of the only remote) without credentials. */
  readonly remoteUrl: string | undefined;
  /** `remoteUrl` in parts; undefined for a path on this machine. */
  readonly remote: RemoteAddress | undefined;
  readonly defaultBranch: string;
  /** Git's `user.name` and `user.email`, empty where unset. */
  readonly userName: string;
  readonly userEmail: string;
  /** Id of the user who runs the command, 0 where the system has none. */
  readonly userId: number;
  readonly objectFormat: 'sha1' | 'sha256';
  /** Name of the folder of the work tree, for projects without a remote. */
  readonly folderName: string;
}

/** Where a remote lives. */
export interface RemoteAddress {
  readonly scheme: 'https' | 'http' | 'ssh' | 'git';
  readonly host: string;
  /** Undefined = the scheme's own. */
  readonly port: number | undefined;
  /** `group/name`, without `.git`. */
  readonly projectPath: string;
}
