import { changeDirectory, expandedCommand, git, notice, removeDirectory, when } from '../script/build-operations.ts';
import type { ScriptOperation } from '../script/operations.ts';
import { quoteRegularExpression, templateDirectory } from './external-config.ts';
import type { GitContext } from './git-context.ts';
import { externalConfigVariable, gitFiles, reference } from './git-files.ts';

/** The first git whose `clone` takes a full ref name. */
const nativeCloneVersion = '2.49';

/** Gets the commits into the project directory and goes there (spec job-execution.md §18 "Fetch", "Native clone"). */
export function planTransfer(context: GitContext): readonly ScriptOperation[] {
  if (context.settings.gitStrategy === 'fetch') return fetchOperations(context);
  return [
    removeDirectory(context.projectDirectory),
    ...(context.nativeClone
      ? [when({ test: 'gitAtLeast', version: nativeCloneVersion }, cloneOperations(context), fetchOperations(context))]
      : fetchOperations(context)),
  ];
}

function fetchOperations(context: GitContext): readonly ScriptOperation[] {
  const { depth, remote, objectFormat } = context;
  const format = objectFormat === '' || objectFormat === 'sha1' ? [] : ['--object-format', objectFormat];
  return [
    notice(depth > 0 ? `Fetching changes with git depth set to ${depth}...` : 'Fetching changes...'),
    git('init', context.projectDirectory, '--template', templateDirectory(context), ...format),
    changeDirectory(context.projectDirectory),
    when(
      { test: 'succeeds', command: 'git', arguments: ['remote', 'add', 'origin', remote.url], silent: true },
      [notice('Created fresh repository.')],
      [git('remote', 'set-url', 'origin', remote.url), includeInExistingRepository()],
    ),
    ...fetchCommands(context),
  ];
}

/** An existing repository does not get the template's configuration. */
function includeInExistingRepository(): ScriptOperation {
  const sameFile = `${quoteRegularExpression(gitFiles.external)}$`;
  return expandedCommandWithPattern('.git/config', sameFile);
}

function expandedCommandWithPattern(file: string, pattern: string): ScriptOperation {
  const path = reference(externalConfigVariable);
  return expandedCommand('git', 'config', '--file', file, '--replace-all', 'include.path', path, pattern);
}

function fetchCommands(context: GitContext): readonly ScriptOperation[] {
  const { depth, settings, refspecs } = context;
  const fetch = [
    ...networkOptions(context),
    'fetch',
    'origin',
    '--no-recurse-submodules',
    ...refspecs,
    ...(depth > 0 ? ['--depth', String(depth)] : []),
    ...settings.gitFetchExtraFlags,
  ];
  if (depth > 0) return [git(...fetch)];
  return [when({ test: 'exists', path: '.git/shallow' }, [git(...fetch, '--unshallow')], [git(...fetch)])];
}

function cloneOperations(context: GitContext): readonly ScriptOperation[] {
  const { depth, ref, remote, settings } = context;
  const which = ref === '' ? [] : [ref.startsWith('refs/') ? '--revision' : '--branch', ref];
  return [
    notice(cloneNotice(ref, depth)),
    git(
      ...networkOptions(context),
      'clone',
      '--no-checkout',
      remote.url,
      context.projectDirectory,
      '--template',
      templateDirectory(context),
      ...(depth > 0 ? ['--depth', String(depth)] : []),
      ...which,
      ...settings.gitCloneExtraFlags,
    ),
    changeDirectory(context.projectDirectory),
  ];
}

function cloneNotice(ref: string, depth: number): string {
  if (depth > 0) return `Cloning repository for ${ref} with git depth set to ${depth}...`;
  return ref === '' ? 'Cloning repository...' : `Cloning repository for ${ref}...`;
}

function networkOptions(context: GitContext): readonly string[] {
  return ['-c', `http.userAgent=${context.userAgent}`, ...proactiveOptions(context)];
}

export function proactiveOptions(context: GitContext): readonly string[] {
  if (!context.proactiveAuthentication) return [];
  const { host } = context.remote;
  return ['-c', host === undefined ? 'http.proactiveAuth=basic' : `http.${host}.proactiveAuth=basic`];
}
