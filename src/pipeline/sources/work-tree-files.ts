import { tmpdir } from 'node:os';
import { isAbsolute, join, normalize, sep } from 'node:path';
import { initServedRepository } from '../../platform/bare-repository.ts';
import { type Git, ownGit, readGit, splitNul, withGit } from '../../platform/run-git.ts';
import { fileSize, makeTemporaryFolder, readIfPresent, realPath, removeFolder } from '../../platform/source-files.ts';
import type { FileCommits, PipelineFiles } from '../ports.ts';
import type { SourceRepository } from './source-repository.ts';

/** The work tree as the compiler reads it: tracked files as they are now, and untracked ones that are not ignored. */
export function workTreeFiles(
  workTree: string,
  repository: SourceRepository | undefined,
  env: Readonly<Record<string, string | undefined>>,
): PipelineFiles {
  return {
    read: async (path) => await readInside(workTree, path),
    list: async (signal) => {
      if (repository !== undefined) return await listRepository(repository.git, signal);
      return await listFolder(workTree, env, signal);
    },
  };
}

/** Who touched a path last, by HEAD's history. */
export function fileCommits(repository: SourceRepository | undefined): FileCommits {
  return {
    lastCommit: async (path, signal) => {
      if (repository?.headSha === undefined) return undefined;
      const args = ['--literal-pathspecs', 'log', '-1', '--format=%H', '--', path];
      const sha = (await readGit(repository.git, args, signal)).toString('latin1').trim();
      return sha === '' ? undefined : sha;
    },
  };
}

async function readInside(workTree: string, path: string): Promise<Buffer | undefined> {
  const normal = normalize(path);
  if (isAbsolute(normal) || normal === '..' || normal.startsWith(`..${sep}`)) return undefined;
  const [top, target] = await Promise.all([realPath(workTree), realPath(join(workTree, normal))]);
  // A link may lead out of the work tree; what lies there is none of its files.
  if (!target.startsWith(`${top}${sep}`)) return undefined;
  return (await fileSize(target)) === undefined ? undefined : await readIfPresent(target);
}

async function listRepository(git: Git, signal: AbortSignal): Promise<readonly string[]> {
  const [present, deleted] = await Promise.all([
    readGit(git, ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], signal),
    readGit(git, ['ls-files', '--deleted', '-z'], signal),
  ]);
  const gone = new Set(splitNul(deleted));
  return sortedPaths(splitNul(present).filter((path) => !gone.has(path)));
}

/** A folder without repository gets an empty one elsewhere for the question. */
async function listFolder(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const directory = await makeTemporaryFolder(join(tmpdir(), 'millrace-list-'));
  try {
    await initServedRepository(directory, 'sha1', undefined);
    const git = withGit({ ...ownGit(directory, env), cwd: folder }, { GIT_WORK_TREE: folder }, ['core.bare=false']);
    return sortedPaths(splitNul(await readGit(git, ['ls-files', '--others', '--exclude-standard', '-z'], signal)));
  } finally {
    await removeFolder(directory);
  }
}

/** Sorted by bytes, each once (a path in conflict is listed three times), without nested repositories. */
function sortedPaths(latin1Paths: readonly string[]): readonly string[] {
  const files = new Set(latin1Paths.filter((path) => !path.endsWith('/')));
  return [...files].toSorted(byCodeUnit).map((path) => Buffer.from(path, 'latin1').toString('utf8'));
}

function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
