import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { SourcesManifest, SourcesUploadHeader } from '../../coordinator/submission.ts';
import { type Git, ownGit, readGit } from '../../platform/run-git.ts';
import { fileSize, readFileRange, readIfPresent, removeFile } from '../../platform/source-files.ts';
import { findLfsObjects } from './lfs-objects.ts';
import type { RepositorySnapshot } from './snapshot.ts';

/** Where the parts of an upload go, one after the other. */
export type UploadPart = (
  header: SourcesUploadHeader,
  content: (() => Readable) | undefined,
  signal: AbortSignal,
) => Promise<void>;

/**
 * Sends a snapshot to a coordinator on another machine: each repository as a git bundle of the snapshot's history,
 * the LFS objects that its files stand for, and a closing word.
 */
export async function uploadSources(
  root: RepositorySnapshot,
  manifest: SourcesManifest,
  upload: UploadPart,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<void> {
  const snapshots = new Map(allSnapshots(root).map((snapshot) => [snapshot.directory, snapshot]));
  for (const { path, directory } of manifest.repositories) {
    const snapshot = snapshots.get(directory);
    if (snapshot === undefined) continue;
    await uploadRepository(path, snapshot, upload, env, signal);
    await uploadLfsObjects(path, snapshot, upload, env, signal);
  }
  await upload({ kind: 'complete' }, undefined, signal);
}

function allSnapshots(root: RepositorySnapshot): readonly RepositorySnapshot[] {
  return [root, ...root.submodules.flatMap(({ snapshot }) => allSnapshots(snapshot))];
}

async function uploadRepository(
  path: string,
  snapshot: RepositorySnapshot,
  upload: UploadPart,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<void> {
  const git = ownGit(snapshot.directory, env);
  const bundle = join(snapshot.directory, 'upload.bundle');
  try {
    const [refs, shallow] = await Promise.all([readRefs(git, signal), readShallow(snapshot.directory)]);
    await readGit(git, ['bundle', 'create', '--quiet', bundle, 'HEAD', '--all'], signal);
    const size = (await fileSize(bundle)) ?? 0;
    const header = {
      kind: 'repository',
      path,
      object_format: snapshot.objectFormat,
      sha: snapshot.sha,
      refs,
      shallow,
    } as const;
    await upload(header, () => readFileRange(bundle, 0, size), signal);
  } finally {
    await removeFile(bundle);
  }
}

async function uploadLfsObjects(
  path: string,
  snapshot: RepositorySnapshot,
  upload: UploadPart,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<void> {
  const git = ownGit(snapshot.directory, env);
  for (const { oid, file, sizeBytes } of await findLfsObjects(git, snapshot.sha, snapshot.lfsStores, signal)) {
    await upload({ kind: 'lfs', path, oid }, () => readFileRange(file, 0, sizeBytes), signal);
  }
}

async function readRefs(git: Git, signal: AbortSignal): Promise<{ name: string; sha: string }[]> {
  const listed = (await readGit(git, ['for-each-ref', '--format=%(objectname) %(refname)'], signal)).toString('utf8');
  const lines = listed.split('\n').filter((line) => line !== '');
  return lines.map((line) => ({ sha: line.slice(0, line.indexOf(' ')), name: line.slice(line.indexOf(' ') + 1) }));
}

async function readShallow(directory: string): Promise<string[]> {
  const content = await readIfPresent(join(directory, 'shallow'));
  return (content?.toString('latin1') ?? '').split('\n').filter((line) => line !== '');
}
