import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test, vi } from 'vitest';
import { readGitFacts } from '../../../src/pipeline/sources/read-git-facts.ts';
import { takeSnapshot } from '../../../src/pipeline/sources/snapshot.ts';
import { makeScratch, neverAborted, type Scratch, startServer } from './harness.ts';

const run = promisify(execFile);

/** Puts a git in front of the real one that writes down what it was asked. */
function spyOnGit(scratch: Scratch): { readonly env: Record<string, string | undefined>; asked(): readonly string[] } {
  const log = join(scratch.root, 'asked');
  const path = scratch.env['PATH'] ?? '';
  const script = `#!/bin/sh
for word; do case $word in -c|*=*) ;; -*|*) printf '%s\\n' "$word" >>'${log}'; break;; esac; done
PATH='${path}' exec git "$@"
`;
  scratch.write('spy/git', script, 0o755);
  scratch.write('asked', '');
  return {
    env: { ...scratch.env, PATH: `${join(scratch.root, 'spy')}${delimiter}${path}` },
    asked: () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .toSorted(),
  };
}

async function snapshotWith(env: Record<string, string | undefined>, scratch: Scratch, place: string) {
  const { facts, repository } = await readGitFacts({ folder: join(scratch.root, 'app'), env }, neverAborted);
  if (repository === undefined) throw new Error('no repository');
  const { branch, tag, defaultBranch } = facts;
  const refs = Promise.resolve({ branch, tag, defaultBranch });
  return await takeSnapshot(repository, join(scratch.root, place), refs, neverAborted);
}

test('a clean tree takes five processes, and one of its files changed takes what staging needs', async () => {
  using scratch = makeScratch();
  const app = join(scratch.root, 'app');
  mkdirSync(app);
  scratch.git(app, 'init', '-q');
  scratch.write('app/file.txt', 'one\n');
  scratch.git(app, 'add', '.');
  scratch.git(app, 'commit', '-qm', 'one');
  const clean = spyOnGit(scratch);
  const { sha } = await snapshotWith(clean.env, scratch, 'clean.git');
  expect(sha).toBe(scratch.git(app, 'rev-parse', 'HEAD'));
  expect(clean.asked()).toEqual(['config', 'for-each-ref', 'log', 'rev-parse', 'status']);

  scratch.write('app/file.txt', 'two\n');
  const dirty = spyOnGit(scratch);
  const changed = await snapshotWith(dirty.env, scratch, 'dirty.git');
  expect(changed.sha).not.toBe(sha);
  expect(dirty.asked()).toHaveLength(9);
});

test('what only an index flag, a staged change or a new file tells is no clean tree', async () => {
  using scratch = makeScratch();
  const app = join(scratch.root, 'app');
  mkdirSync(app);
  scratch.git(app, 'init', '-q');
  scratch.write('app/file.txt', 'one\n');
  scratch.git(app, 'add', '.');
  scratch.git(app, 'commit', '-qm', 'one');
  const head = scratch.git(app, 'rev-parse', 'HEAD');
  const treeOf = async (place: string): Promise<string> => {
    const { sha, directory } = await snapshotWith(scratch.env, scratch, place);
    expect(sha).not.toBe(head);
    return scratch.git(directory, 'ls-tree', '-r', '--name-only', sha);
  };
  scratch.git(app, 'config', 'status.showUntrackedFiles', 'no');
  scratch.write('app/new.txt', 'new\n');
  expect(await treeOf('a.git')).toBe('file.txt\nnew.txt');
  scratch.git(app, 'add', '--intent-to-add', 'new.txt');
  expect(await treeOf('b.git')).toBe('file.txt\nnew.txt');
  scratch.git(app, 'rm', '-q', '-f', '--cached', 'new.txt');
  scratch.git(app, 'rm', '-q', 'file.txt');
  expect(await treeOf('c.git')).toBe('new.txt');
});

test('what one job was told of the sources needs no git for the next, and the first finds part of it ready', async () => {
  using scratch = makeScratch();
  const app = join(scratch.root, 'app');
  mkdirSync(app);
  scratch.git(app, 'init', '-q');
  scratch.write('app/file.txt', 'one\n');
  scratch.git(app, 'add', '.');
  scratch.git(app, 'commit', '-qm', 'one');
  const { directory, sha } = await snapshotWith(scratch.env, scratch, 'served.git');
  const spy = spyOnGit(scratch);
  const manifest = { repositories: [{ path: 'group/app', directory, lfs_stores: [] }] };
  await using server = await startServer({ ...scratch, env: spy.env }, manifest);
  await vi.waitFor(() => expect(spy.asked()).toEqual(['show-ref', 'upload-pack']), 10_000);

  const fetchInto = async (folder: string): Promise<void> => {
    scratch.git(scratch.root, 'init', '-q', folder);
    const cwd = join(scratch.root, folder);
    const args = ['fetch', '-q', server.remote('group/app.git'), `+${sha}:refs/pipelines/1`];
    await run('git', args, { cwd, env: scratch.env });
    expect(scratch.git(cwd, 'show', 'refs/pipelines/1:file.txt')).toBe('one');
  };
  await fetchInto('first');
  const asked = spy.asked();
  await fetchInto('second');
  expect(spy.asked()).toEqual(asked);
});
