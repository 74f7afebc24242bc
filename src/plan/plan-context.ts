import type { RunnerConfig } from '../config/runner-config.ts';
import type { GitContext } from '../git/git-context.ts';
import type { JobPayload } from '../gitlab/job-payload.ts';
import { warning, when } from '../script/build-operations.ts';
import type { ScriptOperation, ShellDialect } from '../script/operations.ts';
import { isPlainFileWork } from '../script/plain-file-work.ts';
import type { JobSettings } from '../variables/job-settings.ts';
import type { JobVariable } from '../variables/job-variable.ts';
import type { VariableLookup } from '../variables/lookup.ts';
import type { BuildDirectories, StagePlan } from './build-plan.ts';
import type { ExecutorTraits } from './executor-traits.ts';

/** What every stage is planned from. */
export interface PlanContext {
  readonly payload: JobPayload;
  readonly runner: RunnerConfig;
  readonly traits: ExecutorTraits;
  readonly settings: JobSettings;
  readonly directories: BuildDirectories;
  readonly dialect: ShellDialect;
  /** Expanded. */
  readonly variables: readonly JobVariable[];
  readonly lookup: VariableLookup;
  readonly git: GitContext;
  readonly startedAt: string | undefined;
  readonly isOn: (featureFlag: string) => boolean;
}

/** Whether multi-line commands are shown as sections of the trace. */
export function showsSections(context: PlanContext): boolean {
  return context.isOn('FF_SCRIPT_SECTIONS') && context.payload.features.trace_sections;
}

export type StageShape = Pick<StagePlan, 'stage' | 'title' | 'where' | 'operations'> & Partial<StagePlan>;

/** A stage with what most stages have. */
export function stagePlan(shape: StageShape): StagePlan {
  return { exports: 'all', attempts: 1, generationError: undefined, ...shape };
}

/** A helper stage that may need no shell: then it needs no variables either. */
export function helperStage(shape: Omit<StageShape, 'where'>): StagePlan {
  const stage = stagePlan({ ...shape, where: 'helper' });
  return isPlainFileWork(stage.operations) ? { ...stage, exports: 'none' } : stage;
}

/** Runs one of our helper commands, where the environment has the helper. */
export function withHelper(
  context: PlanContext,
  action: string,
  then: (helper: string, leading: readonly string[]) => readonly ScriptOperation[],
): ScriptOperation {
  const [helper, ...leading] = context.traits.helperCommand;
  if (helper === undefined || helper === '') {
    return warning(`${action} is not supported by this executor.`);
  }
  const missing = warning(`Missing ${helper}. ${action} is disabled.`);
  return when(helperTest(context, helper, leading), then(helper, leading), [missing]);
}

/** A POSIX shell looks for the program itself: asking the helper for its version would start it once more. */
function helperTest(context: PlanContext, helper: string, leading: readonly string[]) {
  return context.dialect === 'posix'
    ? ({ test: 'succeeds', command: 'command', arguments: ['-v', helper], silent: true } as const)
    : ({ test: 'succeeds', command: helper, arguments: [...leading, '--version'], silent: true } as const);
}
