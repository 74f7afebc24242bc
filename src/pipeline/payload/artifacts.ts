import type { SubmittedJob } from '../../coordinator/submission.ts';
import type { ArtifactsConfig } from '../keywords/artifacts.ts';

type PayloadArtifact = SubmittedJob['artifacts'][number];

/** The uploads of a job: its archive, then one for each report (spec local-pipeline.md §9.7). */
export function payloadArtifacts(
  config: ArtifactsConfig | undefined,
  pagesFolder: string | undefined,
): PayloadArtifact[] {
  const paths = [...(config?.paths ?? [])];
  if (pagesFolder !== undefined && !paths.includes(pagesFolder)) paths.push(pagesFolder);
  const expiry = config?.expireIn === undefined ? {} : { expire_in: config.expireIn };
  const result: PayloadArtifact[] = [];
  if (paths.length > 0 || config?.untracked === true) {
    result.push({
      ...(config?.name === undefined ? {} : { name: config.name }),
      untracked: config?.untracked ?? false,
      paths,
      ...(config === undefined || config.exclude.length === 0 ? {} : { exclude: [...config.exclude] }),
      when: config?.when ?? 'on_success',
      artifact_type: 'archive',
      artifact_format: 'zip',
      ...expiry,
    });
  }
  for (const report of config?.reports ?? []) {
    result.push({
      name: report.fileName,
      paths: [...report.paths],
      when: 'always',
      artifact_type: report.type,
      artifact_format: report.format,
      ...expiry,
    });
  }
  return result;
}
