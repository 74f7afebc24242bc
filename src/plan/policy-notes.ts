import type { JobPayload } from '../gitlab/job-payload.ts';

/** What a job that a security policy started says about its variables (spec job-execution.md §14). */
export function policyNotes(policy: JobPayload['policy_options']): readonly string[] {
  if (!policy.execution_policy_job) return [];
  return [`Job triggered by policy "${policy.policy_name}".`, precedenceNote(policy)];
}

function precedenceNote(policy: JobPayload['policy_options']): string {
  const isAllowed = policy.policy_variables_override_allowed;
  if (isAllowed === undefined || isAllowed === null) {
    return 'Variables defined in the policy take precedence over matching user-defined CI/CD variables for this job.';
  }
  const exceptions = policy.policy_variables_override_exceptions;
  const except = exceptions.length === 0 ? '' : ` (except for ${exceptions.join(', ')})`;
  return `User-defined CI/CD variables are ${isAllowed ? 'allowed' : 'ignored'} in this job${except} according to the policy.`;
}
