import { join } from 'node:path';
import { initServedRepository, publishSnapshot, type ServedRef } from '../../platform/bare-repository.ts';
import { type Git, ownGit, withGit } from '../../platform/run-git.ts';
import { realPath, removeFile } from '../../platform/source-files.ts';
import { findLfsStores, hasOwnLfsUrl } from './lfs-stores.ts';
import { findHistoryRefs, type RefWishes, withSnapshotRefs } from './served-refs.ts';
import { commitSnapshot } from './snapshot-commit.ts';
import { findSourceRepository, type SourceRepository } from './source-repository.ts';
import {
  isCleanWorkTree,
  type StagingArea,
  setSubmoduleCommits,
  stageFolder,
  stageWorkTree,
  stagingAreaIn,
} from './stage-work-tree.ts';
import { type CheckedOutSubmodule, findSubmodules } from './submodules.ts';

/** A work tree as jobs will see it, in a bare repository that borrows the user's objects. */
export interface RepositorySnapshot {
  /** Bare repository, absolute. */
  readonly directory: string;
  /** The commit to check out: HEAD of the user, or a child of it. */
  readonly sha: string;
  readonly objectFormat: 'sha1' | 'sha256';
  readonly isShallow: boolean;
  readonly lfsStores: readonly string[];
  /** `.lfsconfig` names a server of its own. */
  readonly hasOwnLfsUrl: boolean;
  readonly submodules: readonly SubmoduleSnapshot[];
  /** Repositories inside the work tree that are no part of it, absolute; worth a notice. */
  readonly leftOut: readonly string[];
}

export interface SubmoduleSnapshot {
  /** As `.gitmodules` has it. */
  readonly url: string;
  readonly snapshot: RepositorySnapshot;
}

const noRefs: RefWishes = { branch: undefined, tag: undefined, defaultBranch: undefined };

/**
 * Takes a snapshot of a checkout: tracked files as they are now, and untracked ones that are not ignored; checked-out
 * submodules likewise. Nothing in the user's repository is written.
 * @param directory new folder for the bare repository; those of submodules get names that begin like it.
 * @param refs what to serve besides the snapshot; may still be on its way.
 * @throws CommandError when a file cannot be read or git refuses.
 */
export async function takeSnapshot(
  repository: SourceRepository,
  directory: string,
  refs: Promise<RefWishes> | undefined,
  signal: AbortSignal,
): Promise<RepositorySnapshot> {
  const area = stagingAreaIn(directory);
  // What git has to say takes longest, so it is asked first.
  const [isClean, served, lfsStores, ownLfsUrl] = await Promise.all([
    isCleanWorkTree(repository, area, signal),
    readRefs(repository, refs, signal),
    findLfsStores(repository),
    hasOwnLfsUrl(repository, signal),
    initServedRepository(directory, repository.objectFormat, repository.objectsDirectory),
  ]);
  const tree = isClean
    ? { sha: repository.headSha ?? '', submodules: [], leftOut: [] }
    : await commitWorkTree(repository, directory, area, signal);
  const { sha, submodules } = tree;
  const allRefs = withSnapshotRefs(served.history, served.wishes, sha, repository.headSha);
  await publishSnapshot(directory, { sha, refs: allRefs, shallowCommits: repository.shallowCommits });
  await removeFile(area.indexFile);
  return {
    directory,
    sha,
    objectFormat: repository.objectFormat,
    isShallow: repository.shallowCommits.length > 0,
    lfsStores: [area.lfsDirectory, ...lfsStores],
    hasOwnLfsUrl: ownLfsUrl,
    submodules: submodules.map(({ found, snapshot }) => ({ url: found.url, snapshot })),
    leftOut: [
      ...tree.leftOut.map((path) => join(repository.workTree, path)),
      ...submodules.flatMap(({ snapshot }) => snapshot.leftOut),
    ],
  };
}

/** As `takeSnapshot`, for a folder that is in no repository: all of its files become one commit. */
export async function takeFolderSnapshot(
  folder: string,
  directory: string,
  env: Readonly<Record<string, string | undefined>>,
  refs: Promise<RefWishes>,
  signal: AbortSignal,
): Promise<RepositorySnapshot> {
  await initServedRepository(directory, 'sha1', undefined);
  const area = stagingAreaIn(directory);
  const git: Git = withGit({ ...ownGit(directory, env), cwd: folder }, { GIT_WORK_TREE: folder }, ['core.bare=false']);
  const staged = await stageFolder(git, area, signal);
  const sha = await commitSnapshot(
    { headSha: undefined, headTree: undefined, headDate: undefined },
    staged.git,
    signal,
  );
  const { branch } = await refs;
  const served = branch === undefined ? [] : [{ name: `refs/heads/${branch}`, sha }];
  await publishSnapshot(directory, { sha, refs: served, shallowCommits: [] });
  await removeFile(area.indexFile);
  return {
    directory,
    sha,
    objectFormat: 'sha1',
    isShallow: false,
    lfsStores: [],
    hasOwnLfsUrl: false,
    submodules: [],
    leftOut: staged.leftOut.map((path) => join(folder, path)),
  };
}

async function commitWorkTree(
  repository: SourceRepository,
  directory: string,
  area: StagingArea,
  signal: AbortSignal,
): Promise<{
  readonly sha: string;
  readonly submodules: readonly TakenSubmodule[];
  readonly leftOut: readonly string[];
}> {
  const { git, leftOut } = await stageWorkTree(repository, area, signal);
  const submodules = await takeSubmoduleSnapshots(repository, git, directory, signal);
  await setSubmoduleCommits(git, changedCommits(submodules), signal);
  return { sha: await commitSnapshot(repository, git, signal), submodules, leftOut };
}

async function readRefs(
  repository: SourceRepository,
  refs: Promise<RefWishes> | undefined,
  signal: AbortSignal,
): Promise<{ readonly wishes: RefWishes; readonly history: readonly ServedRef[] }> {
  if (refs === undefined) return { wishes: noRefs, history: [] };
  const wishes = await refs;
  return { wishes, history: await findHistoryRefs(repository, wishes, signal) };
}

interface TakenSubmodule {
  readonly found: CheckedOutSubmodule;
  readonly snapshot: RepositorySnapshot;
}

async function takeSubmoduleSnapshots(
  parent: SourceRepository,
  git: Git,
  directory: string,
  signal: AbortSignal,
): Promise<readonly TakenSubmodule[]> {
  const submodules = await findSubmodules(git, parent.workTree, signal);
  const taken: TakenSubmodule[] = [];
  // One after the other: each takes several processes already.
  for (const [index, found] of submodules.entries()) {
    const folder = await realPath(join(parent.workTree, found.path));
    const repository = await findSourceRepository(folder, parent.git.env, signal);
    // A broken `.git` makes git look further up.
    if (repository === undefined || (await realPath(repository.workTree)) !== folder) continue;
    const place = directory.replace(/(\.git)?$/, `-${index + 1}.git`);
    taken.push({ found, snapshot: await takeSnapshot(repository, place, undefined, signal) });
  }
  return taken;
}

/** Commits that the parent's private index must name instead of what it has. */
function changedCommits(submodules: readonly TakenSubmodule[]): ReadonlyMap<string, string> {
  return new Map(
    submodules
      .filter(({ found, snapshot }) => found.commit !== snapshot.sha)
      .map(({ found, snapshot }) => [found.path, snapshot.sha]),
  );
}
