import { type BuildProblem, jobStatus } from './build-result.ts';
import { withDeadline } from './build-signals.ts';
import { type RunningBuild, runStage } from './running-build.ts';

const scriptTimeoutText = 'script timeout: context deadline exceeded';
const afterScriptTimeoutText = 'context deadline exceeded';

/** The user's steps, then after_script (spec job-execution.md §5, §7, §8). */
export async function runScriptPhase(build: RunningBuild): Promise<BuildProblem | undefined> {
  for (const note of build.plan.policyNotes) build.trace.log.info(note);
  for (const warning of build.plan.timeouts.warnings) build.trace.log.warning(warning);
  build.signals.enterPhase('script');
  const problem = await runSteps(build);
  build.signals.enterPhase('after_script');
  if (isStoppedByCancel(build, problem)) build.trace.log.warning('script canceled externally (UI, API)');
  return await runAfterScript(build, problem);
}

async function runSteps(build: RunningBuild): Promise<BuildProblem | undefined> {
  const { timeouts } = build.plan;
  const deadline = withDeadline(
    build.signals.script,
    phaseEnd(build, timeouts.scriptMs),
    () => build.clock.now(),
    scriptTimeoutText,
  );
  try {
    for (const step of build.plan.stages.steps) {
      const problem = await runStage(build, step, 'running', deadline.signal);
      if (problem !== undefined) return problem;
    }
    return undefined;
  } finally {
    deadline.dispose();
  }
}

async function runAfterScript(
  build: RunningBuild,
  problem: BuildProblem | undefined,
): Promise<BuildProblem | undefined> {
  const stage = build.plan.stages.afterScript;
  if (stage === undefined) return problem;
  const deadline = withDeadline(
    build.signals.job,
    phaseEnd(build, build.plan.timeouts.afterScriptMs),
    () => build.clock.now(),
    afterScriptTimeoutText,
  );
  try {
    const afterProblem = await runStage(build, stage, jobStatus(problem), deadline.signal);
    if (afterProblem === undefined || isJobTimeout(afterProblem)) return problem;
    if (!build.plan.afterScriptIgnoresErrors) return problem ?? afterProblem;
    build.trace.log.warning(`after_script failed, but job will continue unaffected: ${problemText(afterProblem)}`);
    return problem;
  } finally {
    deadline.dispose();
  }
}

/** When the phase that starts now (or was started by an earlier manager) is over. */
function phaseEnd(build: RunningBuild, limitMs: number | undefined): number | undefined {
  if (limitMs === undefined) return undefined;
  return (build.stages.nextStartedAtMs() ?? build.clock.now()) + limitMs;
}

function isStoppedByCancel(build: RunningBuild, problem: BuildProblem | undefined): boolean {
  return problem?.kind === 'stopped' && problem.reason === 'canceled' && !build.signals.job.aborted;
}

function isJobTimeout(problem: BuildProblem): boolean {
  return problem.kind === 'stopped' && problem.reason === 'job_timeout';
}

function problemText(problem: BuildProblem): string {
  return problem.kind === 'exit' ? problem.text : problem.message;
}
