/** Failure reasons that a build of ours can end with (spec protocol.md §9.1). */
export const failureReasons = [
  'script_failure',
  'runner_system_failure',
  'job_execution_timeout',
  'image_pull_failure',
  'runner_configuration_error',
  'runner_external_dependency_failure',
  'runner_interrupted',
  'unknown_failure',
  'job_canceled',
] as const;

export type FailureReason = (typeof failureReasons)[number];

const understoodByEveryServer: readonly string[] = ['script_failure', 'runner_system_failure', 'job_execution_timeout'];

const olderName: Partial<Record<FailureReason, FailureReason>> = {
  image_pull_failure: 'runner_system_failure',
  runner_configuration_error: 'script_failure',
  runner_external_dependency_failure: 'runner_system_failure',
};

/**
 * The reason to send to a server that accepts `supported` (payload `features.failure_reasons`), spec protocol.md §9.2.
 */
export function mapFailureReason(reason: FailureReason, supported: readonly string[]): FailureReason {
  const isUnderstood = (name: string): boolean => understoodByEveryServer.includes(name) || supported.includes(name);
  let candidate: FailureReason | undefined = reason;
  while (candidate !== undefined) {
    if (isUnderstood(candidate)) return candidate;
    candidate = olderName[candidate];
  }
  return 'unknown_failure';
}
