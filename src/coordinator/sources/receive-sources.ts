import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { initServedRepository, publishSnapshot } from '../../platform/bare-repository.ts';
import { randomHex } from '../../platform/random.ts';
import { ownGit, readGit } from '../../platform/run-git.ts';
import { makeFolder, moveFile, removeFile, removeFolder, writeStream } from '../../platform/source-files.ts';
import { type SourcesUploadHeader, sourcesUploadHeaderSchema } from '../submission.ts';
import type { SourcesStore } from './sources-store.ts';
import { splitUpload } from './upload-format.ts';

type RepositoryHeader = Extract<SourcesUploadHeader, { kind: 'repository' }>;

/** The upload is not what it says it is. */
export class UploadError extends Error {}

/**
 * Takes one part of a pipeline's sources.
 * @returns whether the sources are complete now.
 * @throws UploadError where the content does not fit its description.
 */
export async function receiveSources(
  store: SourcesStore,
  pipelineId: number,
  body: AsyncIterable<Buffer>,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<boolean> {
  const { header, content } = await splitUpload(body);
  const parsed = sourcesUploadHeaderSchema.safeParse(header);
  if (!parsed.success) throw new UploadError(`the first line does not describe sources: ${parsed.error.message}`);
  switch (parsed.data.kind) {
    case 'complete':
      return true;
    case 'repository':
      await receiveRepository(store, pipelineId, parsed.data, content, env, signal);
      return false;
    case 'lfs':
      await receiveLfsObject(store, pipelineId, parsed.data, content, signal);
      return false;
  }
}

async function receiveRepository(
  store: SourcesStore,
  pipelineId: number,
  header: RepositoryHeader,
  content: AsyncIterable<Buffer>,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<void> {
  const directory = join(await store.folderOf(pipelineId), `${randomHex(8)}.git`);
  const bundle = join(directory, 'incoming.bundle');
  try {
    await initServedRepository(directory, header.object_format, undefined);
    await writeStream(bundle, content, signal);
    const git = ownGit(directory, env);
    await readGit(git, ['bundle', 'unbundle', bundle], signal);
    await removeFile(bundle);
    await publishSnapshot(directory, { sha: header.sha, refs: header.refs, shallowCommits: header.shallow });
    // A history with holes would fail in the middle of every job.
    await readGit(git, ['rev-list', '--objects', '--quiet', header.sha, '--all'], signal);
  } catch (error) {
    await removeFolder(directory);
    throw error;
  }
  await store.add(pipelineId, { path: header.path, directory, lfs_stores: [join(directory, 'lfs')] });
}

async function receiveLfsObject(
  store: SourcesStore,
  pipelineId: number,
  header: { readonly path: string; readonly oid: string },
  content: AsyncIterable<Buffer>,
  signal: AbortSignal,
): Promise<void> {
  const repository = await store.find(pipelineId, header.path);
  if (repository === undefined) throw new UploadError(`no repository ${header.path} was uploaded before`);
  const folder = join(repository.directory, 'lfs', 'objects', header.oid.slice(0, 2), header.oid.slice(2, 4));
  const incoming = join(folder, `${header.oid}.${randomHex(4)}`);
  await makeFolder(folder);
  const hash = createHash('sha256');
  try {
    await writeStream(incoming, hashed(content, hash), signal);
    if (hash.digest('hex') !== header.oid) throw new UploadError(`the content is not that of LFS object ${header.oid}`);
    await moveFile(incoming, join(folder, header.oid));
  } finally {
    await removeFile(incoming);
  }
}

async function* hashed(
  content: AsyncIterable<Buffer>,
  hash: { update(bytes: Buffer): unknown },
): AsyncGenerator<Buffer> {
  for await (const chunk of content) {
    hash.update(chunk);
    yield chunk;
  }
}
