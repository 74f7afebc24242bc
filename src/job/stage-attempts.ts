import { abortReasonOf } from '../lib/abort.ts';
import type { StagePlan } from '../plan/build-plan.ts';
import { type BuildProblem, problemOf } from './build-result.ts';
import type { RunningBuild } from './running-build.ts';

/**
 * Runs a stage up to `stage.attempts` times (spec job-execution.md §9). `beforeSecond` runs once, before the second
 * attempt; its failure counts as that attempt's.
 */
export async function runWithAttempts(
  build: RunningBuild,
  stage: StagePlan,
  signal: AbortSignal,
  beforeSecond?: () => Promise<BuildProblem | undefined>,
): Promise<BuildProblem | undefined> {
  let problem: BuildProblem | undefined;
  for (let attempt = 1; attempt <= stage.attempts; attempt += 1) {
    if (attempt > 1) {
      build.trace.log.warning('Retrying...');
      const interrupted = await pause(build, attempt, signal);
      if (interrupted !== undefined) return interrupted;
    }
    problem = attempt === 2 ? await beforeSecond?.() : undefined;
    if (problem === undefined) {
      const end = await build.stages.run(stage, 'running', signal);
      if (end.kind === 'exit' && end.code === 0) return undefined;
      problem = end;
    }
    if (problem.kind === 'stopped') return problem;
  }
  return problem;
}

/** Waits between attempts; not for attempts that an earlier manager already made. */
async function pause(build: RunningBuild, attempt: number, signal: AbortSignal): Promise<BuildProblem | undefined> {
  if (build.stages.isReplaying()) return undefined;
  try {
    await build.clock.sleep(retryDelayMs(attempt - 1, build.plan.featureFlags), signal);
    return undefined;
  } catch {
    return problemOf(abortReasonOf(signal));
  }
}

/** Exponential, factor 2: 5 s … 5 min, or 1 s … 5 s without FF_USE_EXPONENTIAL_BACKOFF_STAGE_RETRY. */
function retryDelayMs(retry: number, flags: Readonly<Record<string, boolean>>): number {
  const [firstMs, longestMs] =
    flags['FF_USE_EXPONENTIAL_BACKOFF_STAGE_RETRY'] === true ? [5_000, 300_000] : [1_000, 5_000];
  return Math.min(longestMs, firstMs * 2 ** (retry - 1));
}
