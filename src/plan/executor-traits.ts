export type ShellName = 'bash' | 'sh' | 'pwsh' | 'powershell';

/** What planning has to know of an executor: data only (spec job-execution.md §3, protocol.md §3.1). */
export interface ExecutorTraits {
  /** Name as in config.toml. */
  readonly name: string;
  /** Wire features this executor adds to those every runner has. */
  readonly features: readonly ExecutorFeature[];
  readonly defaultShell: ShellName;
  /** Whether stage scripts run in a login shell. */
  readonly loginShell: boolean;
  /** Default builds and cache directories, absolute where the executor needs them so; empty = must be configured. */
  readonly defaultBuildsDir: string;
  readonly defaultCacheDir: string;
  /** Whether several builds share the builds directory: `<root>/<short token>/<concurrent id>/<project>`. */
  readonly sharedBuildsDir: boolean;
  readonly customBuildDirByDefault: boolean;
  readonly safeDirectoryByDefault: boolean;
  readonly cleanGitConfigByDefault: boolean;
  /** Program and leading arguments that run our helper commands inside the environment. */
  readonly helperCommand: readonly string[];
  /** The helper is sure to be of this very version: it knows more than what every helper knows. Default: no. */
  readonly helperIsOurs?: boolean;
  /** Name of the host that runs the manager, for `Running on <x> via <host>`; empty = not shown. */
  readonly runnerHost: string;
  /** CI_SHARED_ENVIRONMENT instead of CI_DISPOSABLE_ENVIRONMENT. */
  readonly sharedEnvironment: boolean;
  readonly operatingSystem: 'unix' | 'windows';
}

export type ExecutorFeature =
  | 'variables'
  | 'shared'
  | 'image'
  | 'services'
  | 'image_executor_opts'
  | 'service_executor_opts'
  | 'service_variables'
  | 'service_multiple_aliases'
  | 'session'
  | 'terminal'
  | 'proxy'
  | 'native_steps_integration';
