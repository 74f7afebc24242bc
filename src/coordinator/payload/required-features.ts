import type { SubmittedJob } from '../submission.ts';

/** What of a job decides which features a runner must have. */
export type FeatureDemand = Pick<SubmittedJob, 'steps' | 'artifacts' | 'cache' | 'secrets'>;

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

function requiredFeatures({ steps, artifacts, cache, secrets }: FeatureDemand): readonly string[] {
  const required: string[] = [];
  const isReport = (type = 'archive'): boolean => type !== '' && type !== 'archive';
  if (artifacts.some((artifact) => isReport(artifact.artifact_type))) required.push('upload_multiple_artifacts');
  if (artifacts.some((artifact) => (artifact.exclude ?? []).length > 0)) required.push('artifacts_exclude');
  if (steps.some((step) => step.name !== 'script' && step.name !== 'after_script')) required.push('multi_build_steps');
  if (cache.some((entry) => (entry.fallback_keys ?? []).length > 0)) required.push('fallback_cache_keys');
  if (Object.keys(secrets ?? {}).length > 0) required.push('vault_secrets');
  return required;
}
