import { removeDirectory, removeFile, when } from '../script/build-operations.ts';
import type { ScriptOperation } from '../script/operations.ts';
import { type GitContext, hasSubmodules } from './git-context.ts';
import { gitFiles } from './git-files.ts';

const leftLocks = ['index.lock', 'shallow.lock', 'HEAD.lock', 'hooks/post-checkout', 'config.lock'];

/**
 * Removes what an interrupted git left behind and, where configuration is cleaned, everything that could make a later
 * git run foreign code (spec job-execution.md §18 "Cleanup"). Before git runs. What is removed as a whole
 * (GIT_STRATEGY=clone) is not cleaned first.
 */
export function planGitCleanup(context: GitContext): readonly ScriptOperation[] {
  const gitDirectory = `${context.projectDirectory}/.git`;
  const withSubmodules = hasSubmodules(context);
  return [
    ...(context.cleanConfiguration ? cleanTemplate(context) : []),
    ...(context.settings.gitStrategy === 'clone'
      ? []
      : [
          when({ test: 'isDirectory', path: gitDirectory }, [
            ...leftLocks.map((name) => removeFile(`${gitDirectory}/${name}`)),
            ...(withSubmodules
              ? leftLocks.map((name) => removeByName('file', `${gitDirectory}/modules`, baseName(name)))
              : []),
            removeByName('file', `${gitDirectory}/refs`, '*.lock'),
            ...(context.cleanConfiguration ? cleanRepository(context, withSubmodules) : []),
          ]),
        ]),
  ];
}

/**
 * The same at the end of a job, without the searches for locks: the next job does them before it runs git, and
 * without them this needs no process.
 */
export function planFinalGitCleanup(context: GitContext): readonly ScriptOperation[] {
  return [
    ...leftLocks.map((name) => removeFile(`${context.projectDirectory}/.git/${name}`)),
    ...(context.cleanConfiguration
      ? [...cleanTemplate(context), ...cleanRepository(context, hasSubmodules(context))]
      : []),
  ];
}

function cleanTemplate({ temporaryDirectory }: GitContext): readonly ScriptOperation[] {
  return configurationOf(`${temporaryDirectory}/${gitFiles.template}`);
}

function cleanRepository({ projectDirectory }: GitContext, withSubmodules: boolean): readonly ScriptOperation[] {
  const gitDirectory = `${projectDirectory}/.git`;
  const modules = `${gitDirectory}/modules`;
  return [
    ...configurationOf(gitDirectory),
    ...(withSubmodules ? [removeByName('file', modules, 'config'), removeByName('directory', modules, 'hooks')] : []),
  ];
}

function configurationOf(directory: string): readonly ScriptOperation[] {
  return [removeFile(`${directory}/config`), removeDirectory(`${directory}/hooks`)];
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function removeByName(kind: 'file' | 'directory', path: string, name: string): ScriptOperation {
  return { op: 'removeByName', kind, path, name };
}
