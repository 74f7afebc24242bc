import type { StageEnd } from '../journal/records.ts';
import type { Clock } from '../lib/clock.ts';
import type { BuildPlan, StagePlan } from '../plan/build-plan.ts';
import type { JobTrace } from '../trace/port.ts';
import type { BuildProblem } from './build-result.ts';
import type { BuildSignals } from './build-signals.ts';
import type { StageRunner } from './stage-runner.ts';

/** What the stages of a build share. */
export interface RunningBuild {
  readonly plan: BuildPlan;
  readonly trace: JobTrace;
  readonly stages: StageRunner;
  readonly signals: BuildSignals;
  readonly clock: Clock;
  /** Absolute time at which the job's time is over. */
  readonly deadlineMs: number;
}

/** Runs one stage under the job's signal; an exit of 0 is no problem. */
export async function runStage(
  build: RunningBuild,
  stage: StagePlan,
  status: string,
  signal: AbortSignal = build.signals.job,
): Promise<BuildProblem | undefined> {
  return problemOfEnd(await build.stages.run(stage, status, signal));
}

/** An exit of 0 is no problem; every other end is one. */
export function problemOfEnd(end: StageEnd): BuildProblem | undefined {
  return end.kind === 'exit' && end.code === 0 ? undefined : end;
}
