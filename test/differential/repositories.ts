import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where the bare repositories are, and the settings of the git that makes and serves them. */
export interface Repositories {
  readonly folder: string;
  readonly home: string;
  /** The commit of a branch or tag. */
  commitOf(repository: string, ref: string): string;
}

const settings = [
  '[user]\n name = Ann\n email = ann@example.com',
  '[init]\n defaultBranch = main',
  '[protocol "file"]\n allow = always',
  '[uploadpack]\n allowAnySHA1InWant = true',
  '[advice]\n detachedHead = false\n',
].join('\n');

/** git settings of the jobs and of the server. */
export function writeGitSettings(home: string): void {
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, '.gitconfig'), settings);
}

/**
 * Makes what scenarios get their sources from:
 * `plain` with three commits, a branch and a tag; `parent` with a submodule in a submodule; `large` with an LFS file.
 */
export function makeRepositories(root: string, hasLfs: boolean): Repositories {
  const [folder, home, work] = [join(root, 'repositories'), join(root, 'git-home'), join(root, 'work')];
  for (const path of [folder, work]) mkdirSync(path, { recursive: true });
  writeGitSettings(home);
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_DATE: '1700000000 +0000',
    GIT_COMMITTER_DATE: '1700000000 +0000',
  };
  const git = (cwd: string, ...args: readonly string[]): string =>
    execFileSync('git', args, { cwd, env, encoding: 'utf8', stdio: 'pipe' }).trim();
  const commit = (repository: string, files: Readonly<Record<string, string | Buffer>>): void => {
    const place = join(work, repository);
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(place, name)), { recursive: true });
      writeFileSync(join(place, name), content);
    }
    git(place, 'add', '-A');
    git(place, 'commit', '-q', '-m', `add ${Object.keys(files).join(' ')}`);
  };
  const publish = (repository: string): void =>
    void git(work, 'clone', '-q', '--bare', repository, join(folder, `${repository}.git`));

  git(work, 'init', '-q', 'plain');
  commit('plain', { 'file.txt': 'first\n', 'folder/other.txt': 'other\n', '.gitignore': '*.ignored\n' });
  commit('plain', { 'file.txt': 'second\n' });
  git(join(work, 'plain'), 'tag', 'v1');
  commit('plain', { 'file.txt': 'third\n', 'name with blank.txt': 'blank\n' });
  git(join(work, 'plain'), 'checkout', '-q', '-b', 'feature/branch', 'v1');
  commit('plain', { 'feature.txt': 'feature\n' });
  git(join(work, 'plain'), 'checkout', '-q', 'main');
  publish('plain');

  for (const name of ['inner', 'outer', 'parent']) git(work, 'init', '-q', name);
  commit('inner', { 'inner.txt': 'inner\n' });
  publish('inner');
  commit('outer', { 'outer.txt': 'outer\n' });
  addSubmodule('outer', 'inner');
  publish('outer');
  commit('parent', { 'parent.txt': 'parent\n' });
  addSubmodule('parent', 'outer');
  publish('parent');

  if (hasLfs) makeLarge();
  return {
    folder,
    home,
    commitOf: (repository, ref) => git(join(folder, `${repository}.git`), 'rev-parse', `${ref}^{commit}`),
  };

  /** With an address relative to the parent's, as it then works over every protocol. */
  function addSubmodule(repository: string, submodule: string): void {
    const place = join(work, repository);
    git(place, 'submodule', 'add', '-q', join(folder, `${submodule}.git`), submodule);
    git(place, 'config', '-f', '.gitmodules', `submodule.${submodule}.url`, `../${submodule}.git`);
    commit(repository, {});
  }

  function makeLarge(): void {
    git(work, 'init', '-q', 'large');
    git(join(work, 'large'), 'lfs', 'install', '--local');
    commit('large', { '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n', 'big.bin': 'large content\n' });
    publish('large');
    git(join(work, 'large'), 'remote', 'add', 'origin', `file://${join(folder, 'large.git')}`);
    git(join(work, 'large'), 'lfs', 'push', '--all', 'origin');
  }
}
