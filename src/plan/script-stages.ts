import type { PayloadStep } from '../gitlab/job-payload.ts';
import { changeDirectory, notice, userCommands } from '../script/build-operations.ts';
import { expandText } from '../variables/expand.ts';
import type { StagePlan } from './build-plan.ts';
import { type PlanContext, showsSections, stagePlan } from './plan-context.ts';

const afterScriptName = 'after_script';

/** The user's steps in payload order (spec job-execution.md §4); each runs in one shell with the runner's own scripts. */
export function planSteps(context: PlanContext): readonly StagePlan[] {
  return context.payload.steps
    .filter(({ name }) => name !== afterScriptName)
    .map((step) => {
      const stage = `step_${step.name.toLowerCase()}`;
      return stagePlan({
        stage,
        title: `Executing "${stage}" stage of the job script`,
        where: 'build',
        operations: [
          changeDirectory(context.directories.project),
          ...runnerScript(context.runner.preBuildScript, 'pre_build_script', context),
          ...userCommands(stepCommands(step, context), 'script_step', showsSections(context)),
          ...runnerScript(context.runner.postBuildScript, 'post_build_script', context),
        ],
      });
    });
}

function runnerScript(text: string, prefix: string, context: PlanContext) {
  return text === '' ? [] : userCommands([text], prefix, showsSections(context));
}

/** The server makes the `release` step out of keywords in which variables are expanded. */
function stepCommands(step: PayloadStep, { lookup }: PlanContext): readonly string[] {
  return step.name === 'release' ? step.script.map((line) => expandText(line, lookup)) : step.script;
}

export function planAfterScript(context: PlanContext): StagePlan | undefined {
  const step = context.payload.steps.find(({ name }) => name === afterScriptName);
  if (step === undefined || step.script.length === 0) return undefined;
  return stagePlan({
    stage: 'after_script',
    title: 'Running after_script',
    where: 'build',
    operations: [
      changeDirectory(context.directories.project),
      notice('Running after script...'),
      ...userCommands(step.script, 'after_script_step', showsSections(context)),
    ],
  });
}
