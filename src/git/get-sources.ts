import {
  changeDirectory,
  git,
  makeDirectory,
  notice,
  removeDirectory,
  userCommands,
  when,
} from '../script/build-operations.ts';
import type { ScriptOperation } from '../script/operations.ts';
import { isPlainFileWork } from '../script/plain-file-work.ts';
import { planCheckout } from './checkout.ts';
import { planGitCleanup } from './cleanup.ts';
import { planCredentialReject } from './credentials.ts';
import { planGlobalSeed, planGlobalTls, planTemplate } from './external-config.ts';
import { planTransfer } from './fetch.ts';
import { type GitContext, hasNoSources } from './git-context.ts';
import { planOwnership } from './ownership.ts';
import { planSubmodules } from './submodules.ts';

/**
 * What the stage get_sources does (spec job-execution.md §18).
 * @throws JobConfigurationError when the job's settings make no sense.
 */
export function planGetSources(context: GitContext): readonly ScriptOperation[] {
  const operations = hasNoSources(context) ? withoutSources(context) : withSources(context);
  return isPlainFileWork(operations) ? operations : [...gitEnvironment(context), ...operations];
}

function withoutSources(context: GitContext): readonly ScriptOperation[] {
  const isEmpty = context.settings.gitStrategy === 'empty';
  return [
    ...planGlobalSeed(context),
    ...planGlobalTls(context),
    notice(
      isEmpty ? 'Skipping Git repository setup and creating an empty build directory' : 'Skipping Git repository setup',
    ),
    ...(isEmpty ? [removeDirectory(context.projectDirectory)] : []),
    makeDirectory(context.projectDirectory),
    ...planCheckout(context),
    ...planSubmodules(context),
    ...ownership(context),
  ];
}

function withSources(context: GitContext): readonly ScriptOperation[] {
  return [
    ...planGlobalSeed(context),
    ...planGlobalTls(context),
    ...userCommands(context.preHook, 'pre_clone_script', context.hooksAsSections),
    ...(context.settings.lfsSkipSmudge ? [] : [exportPlain('GIT_LFS_SKIP_SMUDGE', '1')]),
    ...planGitCleanup(context),
    ...planTemplate(context),
    ...planTransfer(context),
    ...planCheckout(context),
    ...planSubmodules(context),
    ...userCommands(context.postHook, 'post_clone_script', context.hooksAsSections),
    ...ownership(context),
    ...planCredentialReject(context),
  ];
}

/** git must never wait for somebody to type. */
function gitEnvironment(context: GitContext): readonly ScriptOperation[] {
  const quiet = [exportPlain('GIT_TERMINAL_PROMPT', '0'), exportPlain('GCM_INTERACTIVE', 'Never')];
  return hasNoSources(context) && !context.settings.lfsSkipSmudge
    ? [...quiet, exportPlain('GIT_LFS_SKIP_SMUDGE', '1')]
    : quiet;
}

function exportPlain(key: string, value: string): ScriptOperation {
  return { op: 'export', key, value };
}

function ownership(context: GitContext): readonly ScriptOperation[] {
  if (!context.changesOwnership || context.dialect !== 'posix') return [];
  return planOwnership(context.rootDirectory, [context.rootDirectory], context.debug);
}

/** What runs before a second attempt to get the sources: everything of the first one goes. */
export function planClearWorktree(projectDirectory: string): readonly ScriptOperation[] {
  return [
    notice('Deleting tracked and untracked files...'),
    when({ test: 'isDirectory', path: projectDirectory }, [
      changeDirectory(projectDirectory),
      git('rm', '-rf', '--ignore-unmatch', '--quiet', '.'),
      git('clean', '-ffdx', '-q'),
    ]),
  ];
}
