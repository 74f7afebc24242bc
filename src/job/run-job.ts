import type { RunnerConfig } from '../config/runner-config.ts';
import type { FailureReason } from '../gitlab/failure-reason.ts';
import { mapFailureReason } from '../gitlab/failure-reason.ts';
import type { JobJournal } from '../journal/job-journal.ts';
import type { JobOrigin } from '../journal/records.ts';
import { errorMessage } from '../lib/errors.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { acknowledge } from './acknowledge.ts';
import { buildJob } from './build-job.ts';
import { type BuildProblem, jobResult, problemOf } from './build-result.ts';
import { comingStages } from './coming-stages.ts';
import { readHistory } from './history.ts';
import type { JobEnd, JobEngine, JobToRun, OpenJob, RecoverableJob } from './open-job.ts';
import { type OpenTrace, openJobTrace } from './open-trace.ts';
import { writeHeaderWithoutPlan } from './trace-header.ts';

/**
 * Runs one received job to its reported end (spec job-execution.md §1, protocol.md §5.1).
 * `interrupt` is aborted with an `interrupted` reason when the manager stops forcefully.
 * @throws only bugs
 */
export async function runJob(engine: JobEngine, job: JobToRun, interrupt: AbortSignal): Promise<JobEnd> {
  const problems = engine.pickupProblems(job);
  const planned = tryPlan(engine, job);
  if (problems.length === 0 && planned.plan !== undefined) {
    job.lease.expect?.(planned.plan, comingStages(planned.plan));
  }
  const started = await startJournal(engine, job, planned.plan, problems.length === 0);
  if (started === undefined) {
    await reportUnstarted(engine, job, interrupt);
    return 'finished';
  }
  const opened = openJob(engine, job, started.journal, started.open, interrupt);
  if (planned.plan?.trace.debug === true) job.destination.markDebugTrace?.();
  try {
    if (problems.length > 0) return await refuseAtPickup(opened, problems);
    if (planned.plan === undefined) return await failWithoutPlan(opened, planned.error);
    return await acknowledgeAndBuild(opened, planned.plan);
  } finally {
    await opened.open.trace.close();
  }
}

/**
 * Goes on with a job that an earlier manager had: reports its end, follows its running stage, or starts it if nothing
 * of it was started.
 * @throws only bugs
 */
export async function recoverJob(engine: JobEngine, orphan: RecoverableJob, interrupt: AbortSignal): Promise<JobEnd> {
  const history = readHistory(orphan.journal.records);
  const open = await openJobTrace(engine, orphan.journal, history.plan, orphan, history);
  if (history.plan?.trace.debug === true) orphan.destination.markDebugTrace?.();
  const opened: OpenJob = { ...orphan, engine, history, open, logger: engine.logger, interrupt };
  try {
    if (history.result !== undefined) return await report(opened, history.result);
    if (history.plan === undefined) return await failWithoutPlan(opened, new Error('the runner manager was killed'));
    if (!history.isAcknowledged) return await acknowledgeAndBuild(opened, history.plan);
    return await buildAndReport(opened, history.plan);
  } finally {
    await open.trace.close();
  }
}

function tryPlan(engine: JobEngine, job: JobToRun): { readonly plan: BuildPlan | undefined; readonly error: unknown } {
  try {
    return { plan: engine.plan(job), error: undefined };
  } catch (error) {
    return { plan: undefined, error };
  }
}

async function startJournal(
  engine: JobEngine,
  job: JobToRun,
  plan: BuildPlan | undefined,
  mayRun: boolean,
): Promise<{ readonly journal: JobJournal; readonly open: OpenTrace } | undefined> {
  let journal: JobJournal | undefined;
  try {
    journal = engine.journal.create({
      type: 'received',
      jobId: job.payload.id,
      jobToken: job.payload.token,
      // What is refused must not be run by a later manager either.
      plan: mayRun ? (plan ?? null) : null,
      origin: originOf(job.runner),
    });
    return { journal, open: await openJobTrace(engine, journal, plan, job, readHistory([])) };
  } catch (error) {
    engine.logger.error('Cannot write the journal of a job', { job: job.payload.id, error: errorMessage(error) });
    await journal?.remove();
    return undefined;
  }
}

/** Without a journal there is no trace and no second try. */
async function reportUnstarted(engine: JobEngine, job: JobToRun, interrupt: AbortSignal): Promise<void> {
  try {
    await job.destination.update({ state: 'failed', failureReason: 'runner_system_failure' }, interrupt);
  } catch (error) {
    engine.logger.warn('A failed job could not be reported', { job: job.payload.id, error: errorMessage(error) });
  }
}

function originOf(runner: RunnerConfig): JobOrigin {
  return {
    url: runner.url,
    runnerToken: runner.token,
    runnerName: runner.name,
    executor: runner.executor,
    tls: runner.tls,
  };
}

function openJob(
  engine: JobEngine,
  job: JobToRun,
  journal: JobJournal,
  open: OpenTrace,
  interrupt: AbortSignal,
): OpenJob {
  return {
    engine,
    journal,
    history: readHistory([]),
    destination: job.destination,
    lease: job.lease,
    runner: job.runner,
    open,
    logger: engine.logger.child({ job: job.payload.id, project: job.payload.job_info.project_id }),
    interrupt,
  };
}

/** Unsupported options and the like: told in the trace, reported without an acknowledgement (exit code 3). */
async function refuseAtPickup(job: OpenJob, problems: readonly string[]): Promise<JobEnd> {
  job.open.trace.log.raw(`${problems.join('\n')}\n`);
  return await finish(job, { state: 'failed', failureReason: 'runner_system_failure', exitCode: 3 });
}

async function failWithoutPlan(job: OpenJob, error: unknown): Promise<JobEnd> {
  const verdict = await acknowledge(job);
  if (verdict === 'refused') return await drop(job);
  writeHeaderWithoutPlan(job.open.trace, job.engine.productLine, job.runner);
  const { lastLine, ...result } = jobResult(problemOf(error), { timeouts: { jobMs: 0 } });
  job.open.trace.log[lastLine.level](lastLine.text);
  return await finish(job, mapped(result, job.open.supportedFailureReasons));
}

async function acknowledgeAndBuild(job: OpenJob, plan: BuildPlan): Promise<JobEnd> {
  const verdict = await acknowledge(job);
  if (verdict === 'refused') return await drop(job);
  if (verdict === 'canceled') return await finish(job, { state: 'failed', failureReason: 'job_canceled', exitCode: 0 });
  return await buildAndReport(job, plan);
}

async function buildAndReport(job: OpenJob, plan: BuildPlan): Promise<JobEnd> {
  const problem: BuildProblem | undefined = await buildJob(job, plan);
  const { lastLine, ...result } = jobResult(problem, plan);
  job.open.trace.log[lastLine.level](lastLine.text);
  return await finish(job, mapped(result, plan.supportedFailureReasons));
}

interface ReportedResult {
  readonly state: 'success' | 'failed';
  readonly failureReason: FailureReason | null;
  readonly exitCode: number;
}

function mapped(result: ReportedResult, supported: readonly string[]): ReportedResult {
  return {
    state: result.state,
    exitCode: result.exitCode,
    failureReason: result.failureReason === null ? null : mapFailureReason(result.failureReason, supported),
  };
}

/** Completes the trace, writes the result down, reports it; then nothing of the job is kept. */
async function finish(job: OpenJob, result: ReportedResult): Promise<JobEnd> {
  job.open.trace.end();
  try {
    job.open.recorder.finish(result);
  } catch (error) {
    job.logger.error('Cannot write the result of a job to its journal', { error: errorMessage(error) });
  }
  return await report(job, result);
}

async function report(job: OpenJob, result: ReportedResult): Promise<JobEnd> {
  const isReported = await job.open.sender.finish({
    state: result.state,
    exitCode: result.exitCode,
    retryLimit: job.runner.jobStatusFinalUpdateRetryLimit,
    ...(result.failureReason === null ? {} : { failureReason: result.failureReason }),
  });
  if (!isReported)
    job.logger.error(`Job trace termination "${result.state === 'success' ? 'Success' : 'Fail'}" failed`);
  await job.open.trace.close();
  // What could not be reported is kept: the next start of the manager tries again.
  if (isReported) await job.journal.remove();
  else job.journal.close();
  return 'finished';
}

/** The coordinator does not want the job: no further calls, nothing kept. */
async function drop(job: OpenJob): Promise<JobEnd> {
  job.open.sender.discard();
  await job.open.trace.close();
  await job.journal.remove();
  return 'refused';
}
