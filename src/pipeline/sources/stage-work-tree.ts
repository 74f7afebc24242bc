import { join } from 'node:path';
import { type Git, readGit, splitNul, withGit } from '../../platform/run-git.ts';
import { copyWithEarlierTime, kindOf } from '../../platform/source-files.ts';
import type { SourceRepository } from './source-repository.ts';

/** Where a snapshot is put together, outside the user's repository. */
export interface StagingArea {
  /** New objects go here; its `info/alternates` names the user's. */
  readonly objectsDirectory: string;
  /** New LFS objects go here. */
  readonly lfsDirectory: string;
  /** Place for the private index. */
  readonly indexFile: string;
}

export interface StagedWorkTree {
  /** Git that sees the private index. */
  readonly git: Git;
  /** Repositories inside the work tree that it does not track; they are no part of the snapshot. */
  readonly leftOut: readonly string[];
}

/** Settings that would change or refuse what is staged, or write into the user's repository. */
function stagingSettings(area: StagingArea): readonly string[] {
  return ['core.safecrlf=false', 'advice.addEmbeddedRepo=false', `lfs.storage=${area.lfsDirectory}`];
}

/**
 * Whether the work tree is what HEAD says, with nothing beside it. A tree with submodules never counts as clean: their
 * work trees have snapshots of their own.
 */
export async function isCleanWorkTree(
  repository: SourceRepository,
  area: StagingArea,
  signal: AbortSignal,
): Promise<boolean> {
  if (repository.headSha === undefined) return false;
  const git = withGit(repository.git, {}, stagingSettings(area));
  const [status, modules] = await Promise.all([
    readGit(git, statusQuestion, signal),
    kindOf(join(repository.workTree, '.gitmodules')),
  ]);
  return status.length === 0 && modules === undefined;
}

const statusQuestion = [
  'status',
  '--porcelain=v2',
  '-z',
  '--no-renames',
  '--untracked-files=normal',
  '--ignore-submodules=none',
];

/**
 * Puts the work tree as it is now, with untracked files that are not ignored, into a private index. The user's index
 * is copied first: it knows the files that need no reading, and flags such as sparse checkout.
 */
export async function stageWorkTree(
  repository: SourceRepository,
  area: StagingArea,
  signal: AbortSignal,
): Promise<StagedWorkTree> {
  const git = privateIndexGit(repository.git, area);
  if (await copyWithEarlierTime(repository.indexFile, area.indexFile)) {
    await readGit(git, ['add', '--update'], signal);
  }
  return { git, leftOut: await stageUntracked(git, signal) };
}

/** As `stageWorkTree`, for a folder without index: everything in it is untracked. */
export async function stageFolder(folder: Git, area: StagingArea, signal: AbortSignal): Promise<StagedWorkTree> {
  const git = privateIndexGit(folder, area);
  return { git, leftOut: await stageUntracked(git, signal) };
}

function privateIndexGit(git: Git, area: StagingArea): Git {
  const places = { GIT_INDEX_FILE: area.indexFile, GIT_OBJECT_DIRECTORY: area.objectsDirectory };
  return withGit(git, places, stagingSettings(area));
}

async function stageUntracked(git: Git, signal: AbortSignal): Promise<readonly string[]> {
  const listed = splitNul(await readGit(git, ['ls-files', '--others', '--exclude-standard', '-z'], signal));
  // A repository inside is listed as a folder.
  const files = listed.filter((path) => !path.endsWith('/'));
  if (files.length > 0) {
    const input = Buffer.from(`${files.join('\0')}\0`, 'latin1');
    await readGit(git, ['update-index', '--add', '--remove', '--replace', '-z', '--stdin'], signal, input);
  }
  return listed.filter((path) => path.endsWith('/')).map((path) => Buffer.from(path, 'latin1').toString('utf8'));
}

/** Points submodules of the private index to other commits. */
export async function setSubmoduleCommits(
  git: Git,
  commits: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<void> {
  if (commits.size === 0) return;
  const entries = [...commits].map(([path, sha]) => `160000 ${sha}\t${path}\0`);
  await readGit(git, ['update-index', '-z', '--index-info'], signal, entries.join(''));
}

/** Git needs absolute paths to the private index and object folder. */
export function stagingAreaIn(servedRepository: string): StagingArea {
  return {
    objectsDirectory: join(servedRepository, 'objects'),
    lfsDirectory: join(servedRepository, 'lfs'),
    indexFile: join(servedRepository, 'snapshot-index'),
  };
}
