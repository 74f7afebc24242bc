import type { SubmittedJob } from '../submission.ts';

const neverRetried: readonly string[] = [
  'ci_quota_exceeded',
  'no_matching_runner',
  'missing_dependency_failure',
  'forward_deployment_failure',
  'environment_creation_failure',
];

/** How a failed attempt ended. */
export interface FailedAttempt {
  readonly failureReason: string;
  readonly exitCode: number | null;
  /** 1 for the first attempt. */
  readonly attempt: number;
}

/** Whether a failed attempt is followed by another (spec local-pipeline.md §10.4). */
export function isRetryDue(retry: SubmittedJob['retry'], failed: FailedAttempt): boolean {
  return failed.attempt <= allowedRetries(retry, failed);
}

function allowedRetries(retry: SubmittedJob['retry'], failed: FailedAttempt): number {
  if (neverRetried.includes(failed.failureReason)) return 0;
  const when = retry.when.length === 0 && retry.exit_codes.length === 0 ? ['always'] : retry.when;
  const isReasonListed = when.includes('always') || when.includes(failed.failureReason);
  const isCodeListed = failed.exitCode !== null && retry.exit_codes.includes(failed.exitCode);
  if (isReasonListed || isCodeListed) return retry.max;
  return failed.failureReason === 'scheduler_failure' ? 2 : 0;
}
