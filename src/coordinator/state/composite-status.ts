import type { JobStatus, PipelineStatus } from '../submission.ts';

/** Status of a set of jobs as GitLab computes it. */
export type CompositeStatus = JobStatus;

/** A job's status with its `allow_failure` folded in. */
export type MappedStatus = JobStatus | 'success_with_warnings' | 'ignored';

export function mapStatus(status: JobStatus, isFailureAllowed: boolean): MappedStatus {
  if (!isFailureAllowed) return status;
  if (status === 'failed' || status === 'canceled') return 'success_with_warnings';
  return status === 'manual' ? 'ignored' : status;
}

/** "Only members of this list, and at least one" → result. In order, after the special rows. */
const onlyRows: readonly (readonly [CompositeStatus, readonly MappedStatus[]])[] = [
  ['skipped', ['skipped', 'ignored']],
  ['success', ['success', 'skipped', 'success_with_warnings', 'ignored']],
  ['created', ['created', 'success_with_warnings', 'ignored']],
  ['canceled', ['canceled', 'success', 'skipped', 'success_with_warnings', 'ignored']],
  ['pending', ['pending', 'created', 'skipped', 'success_with_warnings', 'ignored']],
];

/** "Any of these" → result. */
const anyRows: readonly (readonly [CompositeStatus, readonly MappedStatus[]])[] = [
  ['running', ['running', 'pending']],
  ['waiting_for_resource', ['waiting_for_resource']],
  ['manual', ['manual']],
  ['scheduled', ['scheduled']],
  ['running', ['created']],
  ['canceling', ['canceling']],
];

/**
 * The status of a set of jobs (spec local-pipeline.md §10.1).
 * @param mode `dag` for the needs of one job, `stage` for stages and whole pipelines.
 */
export function compositeStatus(members: ReadonlySet<MappedStatus>, mode: 'stage' | 'dag'): CompositeStatus {
  if (members.size === 0) return 'success';
  if (mode === 'dag' && (members.has('skipped') || members.has('ignored'))) return 'skipped';
  for (const [result, allowed] of onlyRows) {
    if (isOnly(members, allowed)) return result;
  }
  for (const [result, wanted] of anyRows) {
    if (wanted.some((status) => members.has(status))) return result;
  }
  return 'failed';
}

function isOnly(members: ReadonlySet<MappedStatus>, allowed: readonly MappedStatus[]): boolean {
  for (const member of members) {
    if (!allowed.includes(member)) return false;
  }
  return true;
}

/** The composite in the words of `PipelineStatus`: what waits or is being stopped counts as running. */
export function pipelineStatusOf(status: CompositeStatus): PipelineStatus {
  if (status === 'pending' || status === 'waiting_for_resource' || status === 'canceling') return 'running';
  return status;
}
