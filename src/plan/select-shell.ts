import type { RunnerConfig } from '../config/runner-config.ts';
import { JobConfigurationError } from '../lib/errors.ts';
import type { ExecutorTraits, ShellName } from './executor-traits.ts';

/**
 * The shell a build's scripts are written for (spec shells.md §1).
 * @throws JobConfigurationError for a configured shell that does not exist.
 */
export function selectShell({ shell }: RunnerConfig, { defaultShell }: ExecutorTraits): ShellName {
  switch (shell) {
    case '':
      return defaultShell;
    case 'bash':
    case 'sh':
    case 'pwsh':
    case 'powershell':
      return shell;
    default:
      throw new JobConfigurationError(`shell ${shell} not found`, {
        hint: 'Set shell in this [[runners]] entry to bash, sh, pwsh or powershell.',
      });
  }
}
