import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { changedFiles } from '../../../src/pipeline/sources/changed-files.ts';
import { readGitFacts } from '../../../src/pipeline/sources/read-git-facts.ts';
import { fileCommits, workTreeFiles } from '../../../src/pipeline/sources/work-tree-files.ts';
import { fingerprint, makeScratch, neverAborted, type Scratch } from './harness.ts';

function makeApp(scratch: Scratch): string {
  const app = join(scratch.root, 'app');
  mkdirSync(app);
  scratch.git(app, 'init', '-q');
  scratch.write('app/file.txt', 'one\n');
  scratch.write('app/.gitignore', 'ignored\n');
  scratch.git(app, 'add', '.');
  scratch.git(app, 'commit', '-qm', 'Subject\n\nBody ü');
  return app;
}

test('facts of a branch with a remote', async () => {
  using scratch = makeScratch();
  const app = makeApp(scratch);
  scratch.git(app, 'remote', 'add', 'origin', 'https://user:secret@gitlab.example.com:8443/group/app.git');
  mkdirSync(join(app, 'inner'));
  const before = fingerprint(app);
  const { facts, repository } = await readGitFacts({ folder: join(app, 'inner'), env: scratch.env }, neverAborted);
  expect(fingerprint(app)).toEqual(before);
  const head = scratch.git(app, 'rev-parse', 'HEAD');
  expect(repository?.headSha).toBe(head);
  expect(facts).toEqual({
    workTree: app,
    isRepository: true,
    sha: head,
    shortSha: head.slice(0, 8),
    headSha: head,
    branch: 'main',
    tag: undefined,
    tagMessage: '',
    refName: 'main',
    beforeSha: '0'.repeat(40),
    message: 'Subject\n\nBody ü\n',
    author: 'Ann <ann@example.com>',
    timestamp: '2023-11-14T23:13:20+01:00',
    remoteUrl: 'https://gitlab.example.com:8443/group/app.git',
    remote: { scheme: 'https', host: 'gitlab.example.com', port: 8443, projectPath: 'group/app' },
    defaultBranch: 'main',
    userName: 'Ann',
    userEmail: 'ann@example.com',
    userId: process.getuid?.() ?? 0,
    objectFormat: 'sha1',
    folderName: 'app',
  });
});

test('upstream, tags, detached HEAD, insteadOf, no commit, no repository, inside a hook', async () => {
  using scratch = makeScratch();
  const app = makeApp(scratch);
  const factsOf = async (folder: string, more: { tag?: string } = {}, env = scratch.env) =>
    (await readGitFacts({ folder, env, ...more }, neverAborted)).facts;
  const clone = join(scratch.root, 'clone');
  scratch.git(scratch.root, 'clone', '-q', app, clone);
  const base = scratch.git(clone, 'rev-parse', 'HEAD');
  scratch.git(clone, 'commit', '-qm', 'next', '--allow-empty');
  scratch.git(clone, 'config', 'url.ssh://git@host.example.com/.insteadOf', `${scratch.root}/`);
  expect(await factsOf(clone)).toMatchObject({ beforeSha: base, remoteUrl: 'ssh://host.example.com/app' });
  scratch.git(clone, 'tag', '-a', 'v1', '-m', 'Release one');
  expect(await factsOf(clone, { tag: 'v1' })).toMatchObject({
    branch: undefined,
    tag: 'v1',
    tagMessage: 'Release one',
    refName: 'v1',
  });
  scratch.git(clone, 'switch', '-q', '--detach');
  expect((await factsOf(clone)).branch).toBe('main');
  scratch.git(clone, 'commit', '-qm', 'lonely', '--allow-empty');
  expect((await factsOf(clone)).branch).toBe('HEAD');
  const hook = { ...scratch.env, GIT_DIR: join(clone, '.git'), GIT_INDEX_FILE: '/nowhere' };
  expect((await factsOf(app, {}, hook)).workTree).toBe(app);
  mkdirSync(join(scratch.root, 'empty'));
  expect(await factsOf(join(scratch.root, 'empty'))).toMatchObject({
    isRepository: false,
    sha: '0'.repeat(40),
    refName: 'main',
  });
  scratch.git(join(scratch.root, 'empty'), 'init', '-q', '--object-format=sha256', '-b', 'trunk');
  expect(await factsOf(join(scratch.root, 'empty'))).toMatchObject({
    isRepository: true,
    sha: '0'.repeat(64),
    branch: 'trunk',
    message: '',
  });
});

test('a bare repository is refused', async () => {
  using scratch = makeScratch();
  const bare = join(scratch.root, 'bare.git');
  scratch.git(scratch.root, 'init', '-q', '--bare', bare);
  await expect(readGitFacts({ folder: bare, env: scratch.env }, neverAborted)).rejects.toThrow('needs a work tree');
});

test('files: present ones, tracked or not; nothing outside is read', async () => {
  using scratch = makeScratch();
  const app = makeApp(scratch);
  scratch.write('secret.txt', 'secret\n');
  scratch.write('app/ignored', 'x\n');
  scratch.write('app/new/ünicode.txt', 'x\n');
  scratch.write('app/gone.txt', 'x\n');
  scratch.git(app, 'add', 'gone.txt');
  rmSync(join(app, 'gone.txt'));
  symlinkSync('../secret.txt', join(app, 'link'));
  const { repository } = await readGitFacts({ folder: app, env: scratch.env }, neverAborted);
  const files = workTreeFiles(app, repository, scratch.env);
  expect(await files.list(neverAborted)).toEqual(['.gitignore', 'file.txt', 'link', 'new/ünicode.txt']);
  expect((await files.read('file.txt', neverAborted))?.toString()).toBe('one\n');
  for (const path of ['../secret.txt', 'link', '/etc/passwd', 'none', 'new']) {
    expect(await files.read(path, neverAborted)).toBeUndefined();
  }
  const withoutRepository = workTreeFiles(app, undefined, scratch.env);
  expect(await withoutRepository.list(neverAborted)).toEqual(['.gitignore', 'file.txt', 'link', 'new/ünicode.txt']);
  const commits = fileCommits(repository);
  expect(await commits.lastCommit('file.txt', neverAborted)).toBe(repository?.headSha);
  expect(await commits.lastCommit('new/ünicode.txt', neverAborted)).toBeUndefined();
});

test('changes: against a ref, the upstream and the default branch', async () => {
  using scratch = makeScratch();
  const app = makeApp(scratch);
  const compare = async (compareTo?: string, asked?: string) => {
    const { repository } = await readGitFacts({ folder: app, env: scratch.env }, neverAborted);
    return await changedFiles(repository, { asked, defaultBranch: 'main' }).compare(compareTo, neverAborted);
  };
  expect(await compare()).toEqual({ kind: 'unknown_base' });
  scratch.git(app, 'switch', '-qc', 'feature');
  scratch.write('app/feature.txt', 'x\n');
  scratch.git(app, 'add', '.');
  scratch.git(app, 'commit', '-qm', 'feature');
  scratch.write('app/file.txt', 'changed\n');
  scratch.write('app/new.txt', 'x\n');
  const paths = ['feature.txt', 'file.txt', 'new.txt'];
  expect(await compare()).toEqual({ kind: 'paths', paths });
  expect(await compare('main')).toEqual({ kind: 'paths', paths });
  expect(await compare('refs/heads/main')).toEqual({ kind: 'paths', paths });
  expect(await compare('HEAD')).toEqual({ kind: 'paths', paths: ['file.txt', 'new.txt'] });
  expect(await compare('main', 'HEAD')).toEqual({ kind: 'paths', paths: ['file.txt', 'new.txt'] });
  expect(await compare('nowhere')).toEqual({ kind: 'unknown_ref' });
  expect(await compare('--output=x')).toEqual({ kind: 'unknown_ref' });
});
