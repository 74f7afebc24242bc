import type { FailureReason } from '../gitlab/failure-reason.ts';
import type { StageEnd } from '../journal/records.ts';
import { type AbortReason, AbortReason as AbortReasonClass, type AbortReasonKind } from '../lib/abort.ts';
import {
  EnvironmentLostError,
  ExternalDependencyError,
  errorMessage,
  ImagePullError,
  JobConfigurationError,
} from '../lib/errors.ts';
import { formatGoDuration } from '../lib/go-duration.ts';
import type { BuildPlan } from '../plan/build-plan.ts';

/** Why a build is not a success: the end of the stage, or of the machinery, that decided. */
export type BuildProblem = Exclude<StageEnd, { readonly kind: 'exit' }> | FailedExit;

/** A stage script that ended with something else than 0. */
export interface FailedExit {
  readonly kind: 'exit';
  readonly code: number;
  readonly text: string;
}

/** What is reported to the coordinator, and the trace's last line. */
export interface JobResult {
  readonly state: 'success' | 'failed';
  readonly failureReason: FailureReason | null;
  readonly exitCode: number;
  readonly lastLine: { readonly level: 'info' | 'error'; readonly text: string };
}

/** What of a plan the result's text needs. */
type TimedPlan = { readonly timeouts: Pick<BuildPlan['timeouts'], 'jobMs'> };

/** Turns the end of a build into the job's result: the only place that does (spec job-execution.md §20, §14). */
export function jobResult(problem: BuildProblem | undefined, plan: TimedPlan): JobResult {
  if (problem === undefined) {
    return { state: 'success', failureReason: null, exitCode: 0, lastLine: { level: 'info', text: 'Job succeeded' } };
  }
  const { reason, message } = describe(problem, plan);
  const isSystemFailure = reason === 'runner_system_failure';
  return {
    state: 'failed',
    failureReason: reason,
    exitCode: problem.kind === 'exit' ? problem.code : 0,
    lastLine: { level: 'error', text: `Job failed${isSystemFailure ? ' (system failure)' : ''}: ${message}` },
  };
}

function describe(
  problem: BuildProblem,
  plan: TimedPlan,
): { readonly reason: FailureReason; readonly message: string } {
  switch (problem.kind) {
    case 'exit':
      return { reason: 'script_failure', message: problem.text };
    case 'error':
      return { reason: problem.reason, message: problem.message };
    case 'stopped':
      return describeStop(problem.reason, problem.message, plan);
  }
}

function describeStop(
  reason: AbortReasonKind,
  message: string,
  plan: TimedPlan,
): { readonly reason: FailureReason; readonly message: string } {
  switch (reason) {
    case 'canceled':
    case 'aborted':
    case 'finished':
      return { reason: 'job_canceled', message: 'canceled' };
    case 'job_timeout':
      return {
        reason: 'job_execution_timeout',
        message: `execution took longer than ${formatGoDuration(plan.timeouts.jobMs)} seconds`,
      };
    case 'stage_timeout':
      return { reason: 'job_execution_timeout', message };
    case 'interrupted':
      return { reason: 'runner_interrupted', message };
  }
}

/**
 * What a thrown error means for a build. While the signal is aborted, whatever comes back is fallout of that.
 */
export function problemOf(error: unknown, signal?: AbortSignal): Exclude<BuildProblem, FailedExit> {
  const stop = stopOf(error, signal);
  if (stop !== undefined) return { kind: 'stopped', reason: stop.kind, message: stop.message };
  const message = errorMessage(error);
  if (error instanceof JobConfigurationError) return classified('runner_configuration_error', message);
  if (error instanceof ImagePullError) return classified('image_pull_failure', message);
  if (error instanceof ExternalDependencyError) return classified('runner_external_dependency_failure', message);
  if (error instanceof EnvironmentLostError) return classified('runner_system_failure', message);
  return { kind: 'error', reason: 'runner_system_failure', isClassified: false, message };
}

function stopOf(error: unknown, signal: AbortSignal | undefined): AbortReason | undefined {
  if (signal?.aborted === true && signal.reason instanceof AbortReasonClass) return signal.reason;
  return error instanceof AbortReasonClass ? error : undefined;
}

function classified(reason: FailureReason, message: string): Exclude<BuildProblem, FailedExit> {
  return { kind: 'error', reason, isClassified: true, message };
}

/** The value of CI_JOB_STATUS once the script phase is over. */
export function jobStatus(problem: BuildProblem | undefined): 'success' | 'failed' | 'canceled' | 'timedout' {
  if (problem === undefined) return 'success';
  if (problem.kind !== 'stopped') return 'failed';
  return problem.reason === 'job_timeout' || problem.reason === 'stage_timeout' ? 'timedout' : 'canceled';
}
