import { join } from 'node:path';
import { type Git, readGit, splitNul, tryGit } from '../../platform/run-git.ts';
import { kindOf } from '../../platform/source-files.ts';

/** A submodule that `.gitmodules` describes, the private index holds and the user has checked out. */
export interface CheckedOutSubmodule {
  /** Relative to the top of the work tree. */
  readonly path: string;
  readonly url: string;
  /** Commit that the private index names. */
  readonly commit: string;
}

/** Finds the submodules whose work trees are there; the others stay what the index says. */
export async function findSubmodules(
  git: Git,
  workTree: string,
  signal: AbortSignal,
): Promise<readonly CheckedOutSubmodule[]> {
  const file = join(workTree, '.gitmodules');
  if ((await kindOf(file)) !== 'file') return [];
  const described = await readDescriptions(git, file, signal);
  if (described.size === 0) return [];
  const links = await readLinks(git, [...described.keys()], signal);
  const found = await Promise.all(
    links.map(async ({ path, commit }) => {
      const dotGit = await kindOf(join(workTree, path, '.git'));
      const isCheckedOut = dotGit === 'file' || dotGit === 'folder';
      const url = described.get(path);
      return isCheckedOut && url !== undefined ? { path, url, commit } : undefined;
    }),
  );
  return found.filter((submodule) => submodule !== undefined);
}

/** Path and URL of every entry of `.gitmodules`. */
async function readDescriptions(git: Git, file: string, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const { exitCode, stdout } = await tryGit(git, ['config', '--file', file, '--null', '--list'], signal);
  if (exitCode !== 0) return new Map();
  const entries = new Map<string, { path?: string; url?: string }>();
  for (const entry of splitNul(stdout)) {
    const match = /^submodule\.(.+)\.(path|url)\n(.*)$/s.exec(Buffer.from(entry, 'latin1').toString('utf8'));
    if (match === null) continue;
    const [, name = '', key, value = ''] = match;
    entries.set(name, { ...entries.get(name), [key === 'path' ? 'path' : 'url']: value });
  }
  const urls = new Map<string, string>();
  for (const { path, url } of entries.values()) {
    if (path !== undefined && url !== undefined) urls.set(path.replace(/\/+$/, ''), url);
  }
  return urls;
}

/** Entries of the private index that are commits, among the given paths. */
async function readLinks(
  git: Git,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<readonly { readonly path: string; readonly commit: string }[]> {
  const args = ['--literal-pathspecs', 'ls-files', '--stage', '-z', '--', ...paths];
  const links = [];
  for (const entry of splitNul(await readGit(git, args, signal))) {
    const match = /^160000 ([0-9a-f]+) \d\t(.*)$/s.exec(entry);
    if (match === null) continue;
    const [, commit = '', path = ''] = match;
    links.push({ commit, path: Buffer.from(path, 'latin1').toString('utf8') });
  }
  return links;
}
