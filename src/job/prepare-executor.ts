import type { Executor, JobIo, Lease } from '../executors/port.ts';
import { abortReasonOf } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { errorMessage } from '../lib/errors.ts';
import { formatGoDuration } from '../lib/go-duration.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import type { JobTrace } from '../trace/port.ts';
import type { BuildRecorder } from './build-recorder.ts';
import { type BuildProblem, problemOf } from './build-result.ts';
import { withDeadline } from './build-signals.ts';
import type { BuildHistory } from './history.ts';

export interface PreparationParts {
  readonly plan: BuildPlan;
  readonly lease: Lease;
  readonly folder: string;
  readonly trace: JobTrace;
  readonly recorder: BuildRecorder;
  readonly history: BuildHistory;
  readonly clock: Clock;
}

export type Preparation =
  | { readonly executor: Executor; readonly problem?: undefined }
  | { readonly problem: BuildProblem; readonly executor?: undefined };

const attemptLimit = 3;
const pauseMs = 3_000;

/** Makes the executor ready, or takes up the one an earlier manager made ready (spec job-execution.md §6). */
export async function prepareExecutor(parts: PreparationParts, signal: AbortSignal): Promise<Preparation> {
  const { plan, trace, history } = parts;
  trace.startSection('prepare_executor', `Preparing the "${plan.runner.executor}" executor`);
  const preparation =
    history.preparedAtWrites === undefined
      ? await prepareAnew(parts, signal)
      : await recover(parts, history.preparedAtWrites, signal);
  trace.endSection('prepare_executor');
  return preparation;
}

async function prepareAnew(parts: PreparationParts, signal: AbortSignal): Promise<Preparation> {
  const { plan, clock, recorder } = parts;
  const limitMs = plan.timeouts.prepareMs;
  const deadline = withDeadline(
    signal,
    limitMs === undefined ? undefined : clock.now() + limitMs,
    () => clock.now(),
    `prepare timeout: exceeded timeout of ${formatGoDuration(limitMs ?? plan.timeouts.jobMs)}`,
  );
  try {
    const preparation = await prepareWithRetries(parts, deadline.signal);
    if (preparation.executor !== undefined) {
      recorder.prepared();
    }
    return preparation;
  } finally {
    deadline.dispose();
  }
}

async function prepareWithRetries(parts: PreparationParts, signal: AbortSignal): Promise<Preparation> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return { executor: await parts.lease.prepare(parts.plan, jobIo(parts), signal) };
    } catch (error) {
      const problem = problemOf(error, signal);
      if (problem.kind === 'stopped' || problem.isClassified || attempt === attemptLimit) return { problem };
      parts.trace.log.error(`Preparation failed: ${errorMessage(error)}`);
      parts.trace.log.print(`Will be retried in ${formatGoDuration(pauseMs)} ...`);
    }
    try {
      await parts.clock.sleep(pauseMs, signal);
    } catch {
      return { problem: problemOf(abortReasonOf(signal)) };
    }
  }
}

async function recover(parts: PreparationParts, preparedAtWrites: number, signal: AbortSignal): Promise<Preparation> {
  parts.trace.skipReplayedWrites(preparedAtWrites);
  try {
    const executor = await parts.lease.recover(parts.plan, parts.history.environment, jobIo(parts), signal);
    if (executor !== 'gone') return { executor };
    const message = 'the environment of the job is gone: it did not survive the restart of the runner manager';
    return { problem: { kind: 'error', reason: 'runner_system_failure', isClassified: true, message } };
  } catch (error) {
    return { problem: problemOf(error, signal) };
  }
}

function jobIo(parts: PreparationParts): JobIo {
  return {
    log: parts.trace.log,
    directory: parts.folder,
    recordEnvironment: (handle) => parts.recorder.append({ type: 'environment', handle }),
  };
}
