import { planFinalGitCleanup } from '../git/cleanup.ts';
import { planClearWorktree, planGetSources } from '../git/get-sources.ts';
import { gitFiles } from '../git/git-files.ts';
import { ownerFileName } from '../git/ownership.ts';
import { JobConfigurationError } from '../lib/errors.ts';
import { changeDirectory, git, notice, removeDirectory, removeFile } from '../script/build-operations.ts';
import type { ScriptOperation } from '../script/operations.ts';
import type { StagePlan } from './build-plan.ts';
import { helperStage, type PlanContext } from './plan-context.ts';

/** Where the job's environment keeps what scripts hand on to later stages. */
export const handedOnVariablesFile = 'gitlab_runner_env';
const maskingFile = 'masking.db';

export function planPrepareScript({ traits, directories }: PlanContext): StagePlan {
  return helperStage({
    stage: 'prepare_script',
    title: 'Preparing environment',
    exports: 'none',
    operations: [
      traits.runnerHost === '' ? { op: 'printHost' } : { op: 'printHost', via: traits.runnerHost },
      removeFile(`${directories.temporary}/${handedOnVariablesFile}`),
      removeFile(`${directories.temporary}/${maskingFile}`),
    ],
  });
}

export function planSources(context: PlanContext): StagePlan {
  const shape = {
    stage: 'get_sources',
    title: 'Getting source from Git repository',
    attempts: context.settings.attempts.getSources,
  };
  try {
    return helperStage({ ...shape, operations: planGetSources(context.git) });
  } catch (error) {
    if (!(error instanceof JobConfigurationError)) throw error;
    return helperStage({ ...shape, operations: [], generationError: error.message });
  }
}

export function planWorktreeClearing({ directories }: PlanContext): StagePlan {
  return helperStage({
    stage: 'clear_worktree',
    title: 'Deleting all tracked and untracked files due to source fetch failure',
    exports: 'none',
    operations: planClearWorktree(directories.project),
  });
}

/** Removes everything secret, and what the next job shall not find (spec job-execution.md §4). */
export function planCleanup(context: PlanContext): StagePlan {
  const { root, temporary } = context.directories;
  const files = [
    handedOnVariablesFile,
    maskingFile,
    gitFiles.external,
    gitFiles.globalSeed,
    ...fileVariableNames(context),
  ];
  return helperStage({
    stage: 'cleanup_file_variables',
    title: 'Cleaning up project directory and file based variables',
    exports: 'withoutFileContents',
    operations: [
      ...files.map((name) => removeFile(`${temporary}/${name}`)),
      ...(context.isOn('FF_ENABLE_JOB_CLEANUP') ? cleanProject(context) : []),
      ...planFinalGitCleanup(context.git),
      removeFile(`${root}/${ownerFileName}`),
    ],
  });
}

function fileVariableNames({ variables }: PlanContext): readonly string[] {
  const names = variables.filter(({ file, key }) => file && !/[\\/\0]/.test(key)).map(({ key }) => key);
  return [...new Set(names)];
}

function cleanProject({ settings, directories }: PlanContext): readonly ScriptOperation[] {
  const { gitStrategy, gitCleanFlags, submodules } = settings;
  switch (gitStrategy) {
    case 'clone':
    case 'empty':
      return [removeDirectory(directories.project)];
    case 'none':
      return [notice('Skipping build directory cleanup step')];
    case 'fetch': {
      const steps = [...(gitCleanFlags === undefined ? [] : [['clean', ...gitCleanFlags]]), ['reset', '--hard']];
      const foreach = ['submodule', 'foreach', ...(submodules.strategy === 'recursive' ? ['--recursive'] : []), 'git'];
      const inSubmodules = submodules.strategy === 'none' ? [] : steps.map((step) => git(...foreach, ...step));
      return [changeDirectory(directories.project), ...steps.map((step) => git(...step)), ...inSubmodules];
    }
  }
}
