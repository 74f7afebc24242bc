/** Every failure reason this coordinator accepts: the payload's `features.failure_reasons`. */
export const acceptedFailureReasons: readonly string[] = [
  'unknown_failure',
  'script_failure',
  'api_failure',
  'stuck_or_timeout_failure',
  'runner_system_failure',
  'missing_dependency_failure',
  'runner_unsupported',
  'stale_schedule',
  'job_execution_timeout',
  'archived_failure',
  'unmet_prerequisites',
  'scheduler_failure',
  'data_integrity_failure',
  'forward_deployment_failure',
  'user_blocked',
  'project_deleted',
  'ci_quota_exceeded',
  'no_matching_runner',
  'trace_size_exceeded',
  'builds_disabled',
  'environment_creation_failure',
  'deployment_rejected',
  'failed_outdated_deployment_job',
  'image_pull_failure',
  'runner_provisioning_timeout',
  'runner_configuration_error',
  'runner_external_dependency_failure',
  'runner_interrupted',
];

/** The reason to keep of one a runner sent: unknown ones become `unknown_failure`. */
export function acceptFailureReason(reason: string): string {
  if (reason === '') return 'script_failure';
  return acceptedFailureReasons.includes(reason) ? reason : 'unknown_failure';
}
