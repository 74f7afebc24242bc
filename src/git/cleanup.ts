import { removeDirectory, removeFile } from '../script/build-operations.ts';
import type { ScriptOperation } from '../script/operations.ts';
import { type GitContext, hasSubmodules } from './git-context.ts';
import { gitFiles } from './git-files.ts';

const leftLocks = ['index.lock', 'shallow.lock', 'HEAD.lock', 'hooks/post-checkout', 'config.lock'];

/**
 * Removes what an interrupted git left behind and, where configuration is cleaned, everything that could make a later
 * git run foreign code (spec job-execution.md §18 "Cleanup"). Before git runs.
 */
export function planGitCleanup(context: GitContext): readonly ScriptOperation[] {
  const gitDirectory = `${context.projectDirectory}/.git`;
  const withSubmodules = hasSubmodules(context);
  return [
    ...leftLocks.flatMap((name): readonly ScriptOperation[] => [
      removeFile(`${gitDirectory}/${name}`),
      ...(withSubmodules
        ? [removeByName('file', `${gitDirectory}/modules`, name.slice(name.lastIndexOf('/') + 1))]
        : []),
    ]),
    removeByName('file', `${gitDirectory}/refs`, '*.lock'),
    ...(context.cleanConfiguration ? cleanConfiguration(context, withSubmodules) : []),
  ];
}

/**
 * The same at the end of a job, without the searches for locks: the next job does them before it runs git, and
 * without them this needs no process.
 */
export function planFinalGitCleanup(context: GitContext): readonly ScriptOperation[] {
  return [
    ...leftLocks.map((name) => removeFile(`${context.projectDirectory}/.git/${name}`)),
    ...(context.cleanConfiguration ? cleanConfiguration(context, hasSubmodules(context)) : []),
  ];
}

function cleanConfiguration(context: GitContext, withSubmodules: boolean): readonly ScriptOperation[] {
  const gitDirectory = `${context.projectDirectory}/.git`;
  const directories = [`${context.temporaryDirectory}/${gitFiles.template}`, gitDirectory];
  const modules = `${gitDirectory}/modules`;
  return [
    ...directories.flatMap((directory) => [removeFile(`${directory}/config`), removeDirectory(`${directory}/hooks`)]),
    ...(withSubmodules ? [removeByName('file', modules, 'config'), removeByName('directory', modules, 'hooks')] : []),
  ];
}

function removeByName(kind: 'file' | 'directory', path: string, name: string): ScriptOperation {
  return { op: 'removeByName', kind, path, name };
}
