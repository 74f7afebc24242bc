import type { ServedRepository, SourcesManifest } from '../../coordinator/submission.ts';
import type { RepositorySnapshot } from './snapshot.ts';
import { type RepositoryAddress, resolveSubmoduleUrl } from './submodule-url.ts';

/** How jobs come to the repositories of a snapshot. */
export interface SourcesDescription {
  readonly manifest: SourcesManifest;
  /** Variables for every job, below any of the user. They point to `CI_REPOSITORY_URL`, which the coordinator sets. */
  readonly variables: readonly { readonly key: string; readonly value: string }[];
}

/**
 * Gives every repository of a snapshot its address. A submodule with a relative URL is served where that URL leads
 * on our server. One with a URL of another server keeps it, so that a clean tree stays the commit it is: git is told
 * to fetch it from us by a `url.<ours>.insteadOf` setting in the job's environment (`GIT_CONFIG_COUNT` and so on,
 * git 2.31 and later; an older git goes to the other server).
 * @param projectPath `group/name`
 */
export function describeSources(root: RepositorySnapshot, projectPath: string): SourcesDescription {
  const repositories = new Map<string, ServedRepository>();
  const settings: { readonly name: string; readonly value: string }[] = [];

  const visit = (snapshot: RepositorySnapshot, address: RepositoryAddress): void => {
    const path = address.kind === 'served' ? address.path : redirectedPath(projectPath, repositories.size);
    // The first one wins where two submodules share a URL.
    if (repositories.has(path)) return;
    if (address.kind === 'foreign') {
      if (settings.some((setting) => setting.value === address.url)) return;
      settings.push({ name: `url.${jobUrl(projectPath, path)}.insteadOf`, value: address.url });
    }
    repositories.set(path, { path, directory: snapshot.directory, lfs_stores: [...snapshot.lfsStores] });
    for (const submodule of snapshot.submodules) {
      const resolved = resolveSubmoduleUrl(address, submodule.url);
      if (resolved !== undefined) visit(submodule.snapshot, resolved);
    }
  };

  visit(root, { kind: 'served', path: projectPath });
  if (root.hasOwnLfsUrl) settings.push({ name: 'lfs.url', value: `${jobUrl(projectPath, projectPath)}/info/lfs` });
  return {
    manifest: { repositories: [...repositories.values()] },
    variables: [...settingVariables(settings), ...shallowVariables(root)],
  };
}

/**
 * The path at which a submodule with a URL of another server is served. It lies below the project's own, so that no
 * other project is shadowed.
 */
function redirectedPath(projectPath: string, number: number): string {
  return `${projectPath}.git/-/submodules/${number}`;
}

/** URL with credentials of a served path, from within a job. */
function jobUrl(projectPath: string, path: string): string {
  // biome-ignore lint: the runner expands it
  return path === projectPath
    ? '${CI_REPOSITORY_URL}'
    : `\${CI_REPOSITORY_URL}${path.slice(`${projectPath}.git`.length)}`;
}

function settingVariables(settings: readonly { readonly name: string; readonly value: string }[]) {
  if (settings.length === 0) return [];
  return [
    { key: 'GIT_CONFIG_COUNT', value: String(settings.length) },
    ...settings.flatMap(({ name, value }, index) => [
      { key: `GIT_CONFIG_KEY_${index}`, value: name },
      { key: `GIT_CONFIG_VALUE_${index}`, value: value.replaceAll('$', '$$$$') },
    ]),
  ];
}

/** Git refuses to fetch from a shallow repository unless told, save with a depth. */
function shallowVariables(root: RepositorySnapshot) {
  return root.isShallow ? [{ key: 'GIT_FETCH_EXTRA_FLAGS', value: '--prune --quiet --update-shallow' }] : [];
}
