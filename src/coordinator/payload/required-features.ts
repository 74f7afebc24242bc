import type { JobPayload } from '../../gitlab/job-payload.ts';

/** What of a payload decides which features a runner must have. */
export type FeatureDemand = Pick<JobPayload, 'steps' | 'artifacts' | 'cache'>;

/**
 * Features the job cannot do without that the runner did not announce. Such a job fails with `runner_unsupported`
 * instead of running wrongly, as on GitLab.
 */
export function missingFeatures(
  demand: FeatureDemand,
  announced: Readonly<Record<string, boolean>>,
): readonly string[] {
  return requiredFeatures(demand).filter((feature) => announced[feature] !== true);
}

function requiredFeatures(demand: FeatureDemand): readonly string[] {
  const required: string[] = [];
  const isReport = (type: string): boolean => type !== '' && type !== 'archive';
  if (demand.artifacts.some((artifact) => isReport(artifact.artifact_type))) required.push('upload_multiple_artifacts');
  if (demand.artifacts.some((artifact) => artifact.exclude.length > 0)) required.push('artifacts_exclude');
  if (demand.steps.some((step) => step.name !== 'script' && step.name !== 'after_script')) {
    required.push('multi_build_steps');
  }
  if (demand.cache.some((cache) => cache.fallback_keys.length > 0)) required.push('fallback_cache_keys');
  return required;
}
