import type { BuildPlan, StagePlan } from '../plan/build-plan.ts';
import type { JobVariable } from '../variables/job-variable.ts';

/** What a stage's script sets up before its work, in order (spec shells.md §3.4). */
export interface StageExports {
  readonly variables: readonly ExportedVariable[];
  /** File with `KEY=VALUE` lines that earlier scripts of the job handed on. */
  readonly handedOnFile: string;
  /** Value of GIT_CONFIG_GLOBAL; undefined = left alone. */
  readonly globalGitConfig: string | undefined;
}

export type ExportedVariable =
  | { readonly kind: 'value'; readonly key: string; readonly value: string }
  /** The value is this path; the file is there already. */
  | { readonly kind: 'path'; readonly key: string; readonly path: string }
  /** The file is written first. */
  | { readonly kind: 'file'; readonly key: string; readonly path: string; readonly content: string };

/** undefined = the stage exports nothing. */
export function stageExports(stage: StagePlan, plan: BuildPlan, jobStatus: string): StageExports | undefined {
  if (stage.exports === 'none') return undefined;
  const { temporary } = plan.directories;
  const handedOnFile = `${temporary}/gitlab_runner_env`;
  const writesFiles = stage.exports === 'all';
  return {
    variables: [
      ...lastOfEach(plan.variables).map((variable) => exported(variable, temporary, jobStatus, writesFiles)),
      { kind: 'path', key: 'GITLAB_ENV', path: handedOnFile },
    ],
    handedOnFile,
    globalGitConfig: plan.featureFlags['FF_GIT_URLS_WITHOUT_TOKENS'] === true ? `${temporary}/.glr.gconf` : undefined,
  };
}

/** Only the last entry of a name counts. */
function lastOfEach(variables: readonly JobVariable[]): readonly JobVariable[] {
  const byName = new Map(variables.map((variable) => [variable.key, variable]));
  return variables.filter((variable) => byName.get(variable.key) === variable);
}

function exported(
  { key, value, file, internal }: JobVariable,
  temporary: string,
  jobStatus: string,
  writesFiles: boolean,
): ExportedVariable {
  const path = `${temporary}/${key}`;
  if (file) return writesFiles ? { kind: 'file', key, path, content: value } : { kind: 'path', key, path };
  if (value === temporary || value.startsWith(`${temporary}/`)) return { kind: 'path', key, path: value };
  return { kind: 'value', key, value: key === 'CI_JOB_STATUS' && internal ? jobStatus : value };
}
