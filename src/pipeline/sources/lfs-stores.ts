import { dirname, isAbsolute, join } from 'node:path';
import { tryGit } from '../../platform/run-git.ts';
import { kindOf, readIfPresent } from '../../platform/source-files.ts';
import type { SourceRepository } from './source-repository.ts';

/** Folders in which git-lfs keeps objects of a checkout: its own store, and those of repositories it borrows from. */
export async function findLfsStores(repository: SourceRepository): Promise<readonly string[]> {
  const alternates = await readIfPresent(join(repository.objectsDirectory, 'info', 'alternates'));
  const storage = repository.config.get('lfs.storage')?.at(-1)?.trim() ?? '';
  const own = isAbsolute(storage) ? storage : join(repository.commonDirectory, storage === '' ? 'lfs' : storage);
  const borrowed = (alternates?.toString('utf8') ?? '')
    .split('\n')
    .filter((line) => line !== '' && !/^["#]/.test(line))
    .map((line) => (isAbsolute(line) ? line : join(repository.objectsDirectory, line)))
    .map((objects) => join(dirname(objects), 'lfs'));
  return [own, ...borrowed];
}

/** Whether `.lfsconfig` sends git-lfs to a server that the remote's address does not imply. */
export async function hasOwnLfsUrl(repository: SourceRepository, signal: AbortSignal): Promise<boolean> {
  const file = join(repository.workTree, '.lfsconfig');
  if ((await kindOf(file)) === undefined) return false;
  const { exitCode } = await tryGit(repository.git, ['config', '--file', file, '--get', 'lfs.url'], signal);
  return exitCode === 0;
}
