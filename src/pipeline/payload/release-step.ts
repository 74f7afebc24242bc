import type { ReleaseConfig } from '../keywords/release.ts';

/**
 * The script of the `release` step: the release command line as the server builds it, with texts in double quotes so
 * that the runner's expansion reaches them (spec local-pipeline.md §9.2).
 */
export function releaseScript(release: ReleaseConfig): readonly string[] {
  const parts = ['glab release create', quoted(release.tagName)];
  const option = (name: string, value: string | undefined): void => {
    if (value !== undefined) parts.push(`--${name}`, quoted(value));
  };
  option('name', release.name);
  option('notes', release.description);
  option('ref', release.ref);
  option('tag-message', release.tagMessage);
  option('released-at', release.releasedAt);
  if (release.milestones.length > 0) option('milestone', release.milestones.join(','));
  if (release.links.length > 0) option('assets-links', JSON.stringify(release.links.map(linkData)));
  parts.push('--no-update', '--no-close-milestone');
  return [
    'glab auth login --job-token "$CI_JOB_TOKEN" --hostname "$CI_SERVER_FQDN" --api-protocol "$CI_SERVER_PROTOCOL"',
    parts.join(' '),
  ];
}

function linkData(link: ReleaseConfig['links'][number]): Record<string, string> {
  return {
    name: link.name,
    url: link.url,
    ...(link.filepath === undefined ? {} : { direct_asset_path: link.filepath }),
    ...(link.linkType === undefined ? {} : { link_type: link.linkType }),
  };
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\`]/g, '\\$&')}"`;
}
