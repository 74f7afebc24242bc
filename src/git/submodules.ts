import { JobConfigurationError } from '../lib/errors.ts';
import { expandedCommand, git, notice, warning, when } from '../script/build-operations.ts';
import type { ScriptOperation } from '../script/operations.ts';
import type { GitContext } from './git-context.ts';
import { externalConfigVariable, reference } from './git-files.ts';

/**
 * Brings the submodules to the state of the commit (spec job-execution.md §18 "Submodules").
 * @throws JobConfigurationError when the job's submodule settings make no sense.
 */
export function planSubmodules(context: GitContext): readonly ScriptOperation[] {
  const { strategy } = context.settings.submodules;
  switch (strategy) {
    case 'none':
      return [notice('Skipping Git submodules setup')];
    case 'invalid':
      throw new JobConfigurationError('unknown GIT_SUBMODULE_STRATEGY', { hint: 'Use none, normal or recursive.' });
    case 'normal':
    case 'recursive':
      return submoduleOperations(context, strategy === 'recursive');
  }
}

function submoduleOperations(context: GitContext, isRecursive: boolean): readonly ScriptOperation[] {
  const { settings } = context;
  const recursive = isRecursive ? ['--recursive'] : [];
  const paths = pathArguments(settings.submodules.paths);
  const foreach = ['submodule', 'foreach', ...recursive];
  const clean = [...foreach, 'git', 'clean', ...(settings.gitCleanFlags ?? ['-ffdx'])];
  const reset = [...foreach, 'git', 'reset', '--hard'];
  const sync = ['submodule', 'sync', ...recursive, ...paths];
  const depth = settings.submodules.depth;
  const depthArguments = depth > 0 ? ['--depth', String(depth)] : [];
  const flags = settings.submodules.updateFlags;
  const update = withCredentials('submodule', 'update', '--init', ...recursive, ...depthArguments, ...flags, ...paths);
  const fetchHeads = withCredentials(...foreach, 'git', 'fetch', 'origin', '+refs/heads/*:refs/remotes/origin/*');
  const followsBranches = flags.some((flag) => flag.toLowerCase() === '--remote');
  return [
    notice(announcement(isRecursive, depth)),
    git('submodule', 'init'),
    git(...sync),
    git(...clean),
    git(...reset),
    when(
      { test: 'succeeds', command: 'git', arguments: update, silent: false, expand: true },
      [notice('Updated submodules'), git(...sync)],
      [
        warning('Updating submodules failed. Retrying...'),
        ...(followsBranches ? [expandedCommand('git', ...fetchHeads)] : []),
        git(...sync),
        expandedCommand('git', ...update),
        git(...reset),
      ],
    ),
    git(...clean),
    notice('Configuring submodules to use parent git credentials...'),
    includeEverywhere(),
    ...(settings.lfsSkipSmudge ? [] : [pullLfsFiles(foreach)]),
  ];
}

function announcement(isRecursive: boolean, depth: number): string {
  const how = isRecursive ? ' recursively' : '';
  const deep = depth > 0 ? ` with git depth set to ${depth}` : '';
  return `Updating/initializing submodules${how}${deep}...`;
}

function pathArguments(paths: readonly string[]): readonly string[] {
  if (paths.includes(':(exclude)')) {
    const written = paths.map((path) => JSON.stringify(path)).join(' ');
    throw new JobConfigurationError(`GIT_SUBMODULE_PATHS: invalid submodule pathspec [${written}]`, {
      hint: 'Write :(exclude)path without a blank.',
    });
  }
  return paths.length === 0 ? [] : ['--', ...paths];
}

function withCredentials(...args: readonly string[]): readonly string[] {
  return ['-c', `include.path=${reference(externalConfigVariable)}`, ...args];
}

/** Always recursive: git in any submodule's directory shall find the credentials. */
function includeEverywhere(): ScriptOperation {
  const path = reference(externalConfigVariable);
  return expandedCommand(
    'git',
    'submodule',
    'foreach',
    '--recursive',
    'git',
    'config',
    '--replace-all',
    'include.path',
    path,
  );
}

function pullLfsFiles(foreach: readonly string[]): ScriptOperation {
  return when({ test: 'succeeds', command: 'git', arguments: ['lfs', 'version'], silent: true }, [
    notice('Pulling LFS files...'),
    expandedCommand('git', ...withCredentials(...foreach, 'git', 'lfs', 'pull')),
  ]);
}
