import type { ShellDialect } from '../script/operations.ts';
import type { JobSettings } from '../variables/job-settings.ts';
import type { Remote } from './remote.ts';

/** Everything the sources stage is planned from (spec job-execution.md §18). */
export interface GitContext {
  readonly settings: JobSettings;
  readonly dialect: ShellDialect;
  readonly rootDirectory: string;
  readonly projectDirectory: string;
  readonly temporaryDirectory: string;
  readonly remote: Remote;
  readonly ref: string;
  readonly sha: string;
  readonly refspecs: readonly string[];
  readonly depth: number;
  /** `sha1` or `sha256` */
  readonly objectFormat: string;
  /** `gitlab-runner <version> <os>/<arch>` */
  readonly userAgent: string;
  readonly correlationId: string;
  /** Other jobs use this machine and account later. */
  readonly sharedEnvironment: boolean;
  readonly safeDirectory: boolean;
  /** Configuration and hooks of earlier jobs are removed before git runs. */
  readonly cleanConfiguration: boolean;
  readonly urlsWithToken: boolean;
  readonly nativeClone: boolean;
  readonly proactiveAuthentication: boolean;
  readonly bundleUris: boolean;
  readonly sendCorrelationId: boolean;
  /** Files may have to be given to the user of the build container afterwards. */
  readonly changesOwnership: boolean;
  readonly debug: boolean;
  /** Which of the TLS file variables the job has. */
  readonly tls: readonly TlsSetting[];
  readonly preHook: readonly string[];
  readonly postHook: readonly string[];
  readonly hooksAsSections: boolean;
}

export interface TlsSetting {
  /** `sslCAInfo` */
  readonly name: string;
  /** `CI_SERVER_TLS_CA_FILE` */
  readonly variable: string;
  /** What the job's environment has in that variable: a path. */
  readonly path: string;
}

export function hasSubmodules({ settings }: GitContext): boolean {
  return settings.submodules.strategy === 'normal' || settings.submodules.strategy === 'recursive';
}

export function hasNoSources({ settings }: GitContext): boolean {
  return settings.gitStrategy === 'none' || settings.gitStrategy === 'empty';
}
