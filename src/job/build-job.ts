import type { Executor } from '../executors/port.ts';
import { AbortReason, abortReasonOf } from '../lib/abort.ts';
import { errorMessage, StorageError } from '../lib/errors.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { callAt } from '../platform/timers.ts';
import { runBuild } from './build.ts';
import { type BuildProblem, problemOf } from './build-result.ts';
import { withCacheAccess } from './cache-access.ts';
import type { OpenJob } from './open-job.ts';
import { prepareExecutor } from './prepare-executor.ts';
import { removeSecrets } from './remove-secrets.ts';
import { StageRunner } from './stage-runner.ts';
import { writeHeader } from './trace-header.ts';

/** How long a stopped build may take to let go of its stage, unless the manager stops. */
const stopLimitMs = 5 * 60_000;
const cleanupLimitMs = 10 * 60_000;

/**
 * From the trace's first line to the executor's cleanup (spec job-execution.md §4, steps 2 to 19).
 * @returns what decided that the job failed, or undefined.
 */
export async function buildJob(job: OpenJob, plan: BuildPlan): Promise<BuildProblem | undefined> {
  const { trace, signals, sender } = job.open;
  sender.start(job.interrupt);
  writeHeader(trace.log, job.engine.productLine, plan);
  const clock = startClock(job, plan);
  const stopListening = listenForInterrupt(job);
  try {
    if (plan.settingsProblems.length > 0) trace.log.warning(plan.settingsProblems.join('\n'));
    const problem = await prepareAndRun(job, plan, clock.deadlineMs);
    return job.open.fatalProblem() ?? decisiveStop(signals.job) ?? problem;
  } catch (error) {
    if (!(error instanceof StorageError))
      job.logger.error('A job ended with an unexpected error', { error: stackOf(error) });
    return job.open.fatalProblem() ?? problemOf(error, signals.job);
  } finally {
    clock.stop();
    stopListening();
  }
}

/** Whatever a stopped job's stages gave back, the reason of the stop is the job's end. */
function decisiveStop(signal: AbortSignal): BuildProblem | undefined {
  return signal.aborted ? problemOf(abortReasonOf(signal)) : undefined;
}

function startClock(job: OpenJob, plan: BuildPlan): { readonly deadlineMs: number; readonly stop: () => void } {
  const { clock } = job.engine;
  let startedAtMs = job.history.clockStartedAtMs;
  if (startedAtMs === undefined) {
    startedAtMs = clock.now();
    job.open.recorder.append({ type: 'clockStarted', atMs: startedAtMs });
  }
  const deadlineMs = startedAtMs + plan.timeouts.jobMs;
  const stop = callAt(
    deadlineMs,
    () => clock.now(),
    () => job.open.signals.stopJob('job_timeout', 'job timeout'),
  );
  return { deadlineMs, stop };
}

function listenForInterrupt(job: OpenJob): () => void {
  const stop = (): void => {
    const reason = abortReasonOf(job.interrupt);
    job.open.signals.stopJob(reason.kind, reason.message);
  };
  if (job.interrupt.aborted) stop();
  else job.interrupt.addEventListener('abort', stop, { once: true });
  return () => job.interrupt.removeEventListener('abort', stop);
}

async function prepareAndRun(job: OpenJob, plan: BuildPlan, deadlineMs: number): Promise<BuildProblem | undefined> {
  const { trace, recorder, signals, sender } = job.open;
  const { clock } = job.engine;
  const parts = { plan, folder: job.journal.folder, history: job.history, recorder, trace, clock };
  const preparation = await prepareExecutor({ ...parts, lease: job.lease }, signals.job);
  if (preparation.executor === undefined) return preparation.problem;
  const { executor } = preparation;
  const cacheParts = { runner: job.runner, stores: job.engine.cacheStores, logger: job.logger };
  const stages = new StageRunner(
    {
      ...parts,
      completeStage: (stage, signal) => withCacheAccess(stage, { ...cacheParts, plan }, signal),
      onOutput: () => sender.outputCame(),
      onReplayed: () => signals.apply(job.history.stops),
    },
    executor,
  );
  try {
    const running = runBuild({ plan, trace, stages, signals, clock, deadlineMs });
    return await letGoWhenStopped(job, running);
  } finally {
    if (!stages.hasEnded(plan.stages.cleanup)) await removeLeftSecrets(job, plan, executor);
    await cleanUp(job, executor);
  }
}

/** A stopped build may hang in its stage; after a while it is left to the cleanup. */
async function letGoWhenStopped(
  job: OpenJob,
  running: Promise<BuildProblem | undefined>,
): Promise<BuildProblem | undefined> {
  const limit = new AbortController();
  const { signals, trace } = job.open;
  const stopped = new Promise<BuildProblem | undefined>((resolve) => {
    const onStop = async (): Promise<void> => {
      const isInterrupted = abortReasonOf(signals.job).kind === 'interrupted';
      try {
        await job.engine.clock.sleep(isInterrupted ? job.engine.interruptLimitMs : stopLimitMs, limit.signal);
        trace.log.warning('Timed out waiting for the build to finish');
        resolve(problemOf(abortReasonOf(signals.job)));
      } catch {
        // The build ended in time.
      }
    };
    if (signals.job.aborted) void onStop();
    else signals.job.addEventListener('abort', () => void onStop(), { once: true, signal: limit.signal });
  });
  try {
    return await Promise.race([running, stopped]);
  } finally {
    limit.abort(new AbortReason('finished'));
    running.catch(() => {});
  }
}

/** Under a signal of its own: what stopped the job must not stop the cleaning up. */
async function cleanUp(job: OpenJob, executor: Executor): Promise<void> {
  try {
    const { leftovers } = await executor.cleanup(AbortSignal.timeout(cleanupLimitMs));
    for (const leftover of leftovers) job.logger.warn('Could not remove something of a job', { leftover });
  } catch (error) {
    job.logger.error('Cleaning up after a job failed', { error: errorMessage(error) });
  }
}

/** After an abort no stage runs any more, the one that removes file variables neither: their values must not stay. */
async function removeLeftSecrets(job: OpenJob, plan: BuildPlan, executor: Executor): Promise<void> {
  try {
    await removeSecrets(plan, executor, job.journal.folder);
  } catch (error) {
    job.logger.warn('File variables of a job may be left in its build folder', { error: errorMessage(error) });
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
