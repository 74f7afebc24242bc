import { join } from 'node:path';

/** What decides where configuration lives. */
export interface AccountFacts {
  /** `process.platform` */
  readonly operatingSystem: string;
  /** Undefined where the system has no user ids. */
  readonly userId: number | undefined;
  /** Empty when unknown. */
  readonly home: string;
  readonly workingDirectory: string;
}

/** Folder of the default config file and of its `certs` (spec config.md §1). */
export function defaultConfigFolder(account: AccountFacts): string {
  if (account.operatingSystem === 'win32') return account.workingDirectory;
  if (account.userId === 0) return '/etc/gitlab-runner';
  return account.home === '' ? account.workingDirectory : join(account.home, '.gitlab-runner');
}

export function defaultConfigPath(account: AccountFacts): string {
  return join(defaultConfigFolder(account), 'config.toml');
}
