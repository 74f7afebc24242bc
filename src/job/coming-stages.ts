import type { StageHint } from '../executors/port.ts';
import type { BuildPlan, StagePlan } from '../plan/build-plan.ts';
import { isPlainFileWork } from '../script/plain-file-work.ts';
import { runsUserCode } from '../script/user-code.ts';

/** What an executor is told of a stage before its turn. */
export function stageHint(stage: StagePlan): StageHint {
  return { where: stage.where, isOurs: !runsUserCode(stage.operations) };
}

/**
 * The stages after one (default: all) that probably need a shell, up to the first that runs code of the user: that may
 * change what a shell started before it has read.
 */
export function comingStages(plan: BuildPlan, after?: StagePlan): readonly StageHint[] {
  const hints: StageHint[] = [];
  for (const stage of stagesAfter(plan, after)) {
    if (isPlainFileWork(stage.operations)) continue;
    const hint = stageHint(stage);
    hints.push(hint);
    if (hint.isOurs !== true) break;
  }
  return hints;
}

function stagesAfter({ stages }: BuildPlan, after: StagePlan | undefined): readonly StagePlan[] {
  const begin = [stages.prepareScript, stages.getSources, stages.restoreCache, stages.downloadArtifacts];
  const middle = [...stages.steps, stages.afterScript];
  const onSuccess = [stages.archiveCacheOnSuccess, stages.uploadArtifactsOnSuccess];
  const onFailure = [stages.archiveCacheOnFailure, stages.uploadArtifactsOnFailure];
  const flows = [onSuccess, onFailure].map((end) =>
    [...begin, ...middle, ...end, stages.cleanup].filter((stage) => stage !== undefined),
  );
  const flow = flows.find((candidate) => after === undefined || candidate.includes(after)) ?? [];
  return after === undefined ? flow : flow.slice(flow.indexOf(after) + 1);
}
