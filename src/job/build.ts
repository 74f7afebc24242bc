import { formatGoDuration } from '../lib/go-duration.ts';
import type { BuildPlan, StagePlan } from '../plan/build-plan.ts';
import { type BuildProblem, jobStatus } from './build-result.ts';
import { withDeadline } from './build-signals.ts';
import { problemOfEnd, type RunningBuild, runStage } from './running-build.ts';
import { runScriptPhase } from './script-phase.ts';
import { runWithAttempts } from './stage-attempts.ts';

/**
 * Runs the stages of a prepared build in the order of spec job-execution.md §4.
 * @returns what decided that the build is not a success, or undefined.
 * @throws StorageError when the journal cannot be written.
 */
export async function runBuild(build: RunningBuild): Promise<BuildProblem | undefined> {
  const { plan } = build;
  const preparation = await runStage(build, plan.stages.prepareScript, 'running');
  if (preparation !== undefined) return preparationProblem(preparation);

  const sources = await getSources(build);
  if (sources !== undefined && isSourcesTimeout(sources)) return sources;
  const early = sources ?? (await restoreAndDownload(build));
  const problem = early ?? (await runScriptPhase(build));
  build.signals.enterPhase('after_script');

  const status = early === undefined ? jobStatus(problem) : 'running';
  const { stages } = plan;
  const saved = await runOptional(
    build,
    problem === undefined ? stages.archiveCacheOnSuccess : stages.archiveCacheOnFailure,
    status,
  );
  const uploaded = await runOptional(
    build,
    problem === undefined ? stages.uploadArtifactsOnSuccess : stages.uploadArtifactsOnFailure,
    status,
  );
  await runStage(build, stages.cleanup, status);
  return problem ?? saved ?? uploaded;
}

async function runOptional(
  build: RunningBuild,
  stage: StagePlan | undefined,
  status: string,
): Promise<BuildProblem | undefined> {
  return stage === undefined ? undefined : await runStage(build, stage, status);
}

async function getSources(build: RunningBuild): Promise<BuildProblem | undefined> {
  const { plan, clock, signals } = build;
  const limitMs = plan.timeouts.getSourcesMs;
  const startedAtMs = build.stages.nextStartedAtMs() ?? clock.now();
  const deadline = withDeadline(
    signals.job,
    limitMs === undefined ? undefined : startedAtMs + limitMs,
    () => clock.now(),
    sourcesTimeoutText(plan),
  );
  try {
    return await runWithAttempts(build, plan.stages.getSources, deadline.signal, async () =>
      problemOfEnd(await build.stages.run(plan.stages.clearWorktree, 'running', deadline.signal)),
    );
  } finally {
    deadline.dispose();
  }
}

async function restoreAndDownload(build: RunningBuild): Promise<BuildProblem | undefined> {
  for (const stage of [build.plan.stages.restoreCache, build.plan.stages.downloadArtifacts]) {
    if (stage === undefined) continue;
    const problem = await runWithAttempts(build, stage, build.signals.job);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function sourcesTimeoutText(plan: BuildPlan): string {
  return `get sources timeout: exceeded timeout of ${formatGoDuration(plan.timeouts.getSourcesMs ?? plan.timeouts.jobMs)}`;
}

function isSourcesTimeout(problem: BuildProblem): boolean {
  return problem.kind === 'stopped' && problem.reason === 'stage_timeout';
}

function preparationProblem(problem: BuildProblem): BuildProblem {
  if (problem.kind !== 'exit') return problem;
  const hint = 'Check https://docs.gitlab.com/runner/shells/#shell-profile-loading for more information';
  return { ...problem, text: `prepare environment: ${problem.text}. ${hint}` };
}
