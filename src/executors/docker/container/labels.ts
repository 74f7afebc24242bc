import { formatGoDuration } from '../../../lib/go-duration.ts';
import type { BuildPlan } from '../../../plan/build-plan.ts';
import { findVariable } from '../../../variables/lookup.ts';

export const labelPrefix = 'com.gitlab.gitlab-runner';

/** Which manager's state folder a thing belongs to, and which job's folder in it. */
export const ownerLabels = { instance: 'io.millrace.instance', jobFolder: 'io.millrace.job-folder' } as const;

export interface Owner {
  /** Random name of the state folder whose journal has the job. */
  readonly instance: string;
  /** Name of the job's folder in the journal: a job whose folder is gone is over. */
  readonly jobFolder: string;
}

export type Labels = Readonly<Record<string, string>>;

/** Labels of everything that is made for a job (spec docker.md §4). */
export function baseLabels(plan: BuildPlan, owner: Owner): Labels {
  const { job, runner, names } = plan;
  const value = (key: string): string => findVariable(plan.variables, key)?.value ?? '';
  return {
    ...prefixed({
      'job.id': String(job.id),
      'job.url': value('CI_JOB_URL') || `${value('CI_PROJECT_URL')}/-/jobs/${job.id}`,
      'job.sha': job.sha,
      'job.before_sha': value('CI_COMMIT_BEFORE_SHA'),
      'job.ref': job.ref,
      'job.timeout': formatGoDuration(plan.timeouts.jobMs),
      'project.id': String(job.projectId),
      'project.runner_id': String(names.concurrentProjectId),
      'pipeline.id': job.pipelineId > 0 ? String(job.pipelineId) : value('CI_PIPELINE_ID'),
      'runner.id': runner.shortToken,
      'runner.local_id': String(names.concurrentId),
      'runner.system_id': runner.systemId,
      managed: 'true',
    }),
    [ownerLabels.instance]: owner.instance,
    [ownerLabels.jobFolder]: owner.jobFolder,
  };
}

/** Adds the prefix that all labels of the runner have. */
export function prefixed(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [`${labelPrefix}.${key}`, value]));
}
