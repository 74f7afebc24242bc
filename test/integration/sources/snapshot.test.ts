import { execFile } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { describeSources } from '../../../src/pipeline/sources/describe-sources.ts';
import { fingerprint, makeScratch, type Scratch, snapshotOf, startServer } from './harness.ts';

const run = promisify(execFile);

/** A repository with one commit and a second branch that nobody else may see. */
function makeApp(scratch: Scratch, ...initArgs: string[]): string {
  const app = join(scratch.root, 'app');
  mkdirSync(app);
  scratch.git(app, 'init', '-q', ...initArgs);
  scratch.write('app/kept.txt', 'kept\n');
  scratch.write('app/changed.txt', 'before\n');
  scratch.write('app/gone.txt', 'gone\n');
  scratch.write('app/old-name.txt', 'renamed\n');
  scratch.write('app/tool.sh', '#!/bin/sh\n');
  scratch.write('app/.gitignore', '*.log\n');
  scratch.git(app, 'add', '.');
  scratch.git(app, 'commit', '-qm', 'first');
  return app;
}

function change(scratch: Scratch, app: string): void {
  scratch.write('app/changed.txt', 'after\n');
  scratch.write('app/new/untracked.txt', 'untracked\n');
  scratch.write('app/ignored.log', 'ignored\n');
  scratch.write('app/with space\nand line.txt', 'odd\n');
  writeFileSync(Buffer.concat([Buffer.from(`${app}/bad-`), Buffer.from([0xff, 0xfe])]), 'bytes\n');
  rmSync(join(app, 'gone.txt'));
  renameSync(join(app, 'old-name.txt'), join(app, 'new-name.txt'));
  chmodSync(join(app, 'tool.sh'), 0o755);
  symlinkSync('kept.txt', join(app, 'link'));
  symlinkSync('/nowhere', join(app, 'dangling'));
}

async function checkOut(scratch: Scratch, remote: string, sha: string, ...fetchArgs: string[]): Promise<string> {
  const job = join(scratch.root, `job-${Math.random().toString(36).slice(2)}`);
  mkdirSync(job);
  const git = async (...args: string[]): Promise<unknown> => await run('git', args, { cwd: job, env: scratch.env });
  await git('init', '-q');
  await git('remote', 'add', 'origin', remote);
  await git('fetch', '-q', 'origin', `+${sha}:refs/pipelines/7`, ...fetchArgs);
  await git('checkout', '-f', '-q', sha);
  return job;
}

test('a job sees the work tree as it is, and the user’s repository is left as it was', async () => {
  using scratch = makeScratch();
  const app = makeApp(scratch);
  change(scratch, app);
  scratch.git(app, 'status');
  const before = fingerprint(app);

  const snapshot = await snapshotOf(scratch, app, 'sources.git');
  await using server = await startServer(scratch, describeSources(snapshot, 'group/app').manifest);
  expect(server.isReady).toBe(true);
  const job = await checkOut(scratch, server.remote('group/app.git'), snapshot.sha);

  expect(fingerprint(app)).toEqual(before);
  const list = (folder: string) =>
    Object.entries(fingerprint(folder))
      .filter(([name]) => !/^\.\/(\.git\/|\.git$|ignored\.log$)/.test(name))
      .map(([name, facts]) => [name, facts.includes('->') ? facts : facts.replace(/ [\d.]+ \d+ /, ' ')]);
  expect(list(job)).toEqual(list(app));
  expect(scratch.git(job, 'log', '--format=%P %an %cd', '--date=raw', '-1')).toBe(
    `${scratch.git(app, 'rev-parse', 'HEAD')} Millrace 1700000000 +0100`,
  );
  expect(scratch.git(job, 'status', '--porcelain')).toBe('');
});

test('a clean tree is HEAD itself; equal content has an equal commit', async () => {
  using scratch = makeScratch();
  const app = makeApp(scratch);
  expect((await snapshotOf(scratch, app, 'a.git')).sha).toBe(scratch.git(app, 'rev-parse', 'HEAD'));
  change(scratch, app);
  const first = await snapshotOf(scratch, app, 'b.git');
  scratch.git(app, 'add', '-A');
  const second = await snapshotOf(scratch, app, 'c.git');
  expect(second.sha).toBe(first.sha);
  expect(first.sha).not.toBe(scratch.git(app, 'rev-parse', 'HEAD'));
});

test('a change right after `git add`, of the same size and time, is seen', async () => {
  using scratch = makeScratch();
  const app = makeApp(scratch);
  const file = join(app, 'kept.txt');
  // Everything within one tick of the clock, as a fast script does it.
  scratch.git(app, 'config', 'core.trustctime', 'false');
  writeFileSync(file, 'KEPT\n');
  utimesSync(file, 1_700_000_000, 1_700_000_000);
  scratch.git(app, 'add', 'kept.txt');
  writeFileSync(file, 'kepT\n');
  utimesSync(file, 1_700_000_000, 1_700_000_000);
  utimesSync(join(app, '.git', 'index'), 1_700_000_000, 1_700_000_000);
  const snapshot = await snapshotOf(scratch, app, 'sources.git');
  expect(scratch.git(snapshot.directory, 'show', `${snapshot.sha}:kept.txt`)).toBe('kepT');
});

test.each([
  ['sha256', ['--object-format=sha256']],
  ['sha1', []],
])('a repository without a commit, %s', async (_name, initArgs) => {
  using scratch = makeScratch();
  const app = join(scratch.root, 'app');
  mkdirSync(app);
  scratch.git(app, 'init', '-q', ...initArgs);
  scratch.write('app/file.txt', 'text\n');
  const before = fingerprint(app);
  const snapshot = await snapshotOf(scratch, app, 'sources.git');
  expect(fingerprint(app)).toEqual(before);
  await using server = await startServer(scratch, describeSources(snapshot, 'group/app').manifest);
  const job = join(scratch.root, 'job');
  await run('git', ['clone', '-q', server.remote('group/app.git'), job], { env: scratch.env });
  expect(scratch.git(job, 'rev-parse', 'HEAD')).toBe(snapshot.sha);
  expect(scratch.git(job, 'log', '--format=%s')).toBe('Snapshot of the work tree');
  expect(readFileSync(join(job, 'file.txt'), 'utf8')).toBe('text\n');
});

test('a sha256 repository with history, in every protocol version, whole and with a depth', async () => {
  using scratch = makeScratch();
  const app = makeApp(scratch, '--object-format=sha256');
  change(scratch, app);
  const snapshot = await snapshotOf(scratch, app, 'sources.git');
  await using server = await startServer(scratch, describeSources(snapshot, 'group/app').manifest);
  for (const version of ['0', '1', '2']) {
    for (const depth of [[], ['--depth', '1']]) {
      const job = join(scratch.root, `job-${version}-${depth.length}`);
      await run(
        'git',
        ['-c', `protocol.version=${version}`, 'clone', '-q', ...depth, server.remote('group/app.git'), job],
        { env: scratch.env },
      );
      expect(scratch.git(job, 'rev-list', '--count', 'HEAD')).toBe(depth.length === 0 ? '2' : '1');
    }
  }
});

test('a linked worktree with a detached HEAD, and a shallow clone', async () => {
  using scratch = makeScratch();
  const app = makeApp(scratch);
  for (const text of ['2', '3', '4']) scratch.git(app, 'commit', '-qm', text, '--allow-empty');
  scratch.git(app, 'worktree', 'add', '-q', '--detach', join(scratch.root, 'linked'), 'HEAD~1');
  scratch.write('linked/kept.txt', 'linked\n');
  const before = [fingerprint(app), fingerprint(join(scratch.root, 'linked'))];
  const linked = await snapshotOf(scratch, join(scratch.root, 'linked'), 'linked.git', { branch: undefined });
  expect([fingerprint(app), fingerprint(join(scratch.root, 'linked'))]).toEqual(before);

  const shallow = join(scratch.root, 'shallow');
  scratch.git(scratch.root, 'clone', '-q', '--depth=2', `file://${app}`, shallow);
  scratch.write('shallow/kept.txt', 'shallow\n');
  const cut = await snapshotOf(scratch, shallow, 'shallow.git');
  const described = describeSources(cut, 'group/shallow');
  await using server = await startServer(scratch, {
    repositories: [
      ...describeSources(linked, 'group/linked').manifest.repositories,
      ...described.manifest.repositories,
    ],
  });
  const linkedJob = await checkOut(scratch, server.remote('group/linked.git'), linked.sha);
  expect(scratch.git(linkedJob, 'log', '--format=%s')).toBe(
    'Snapshot of the work tree on top of ' + scratch.git(app, 'rev-parse', '--short=8', 'HEAD~1') + '\n3\n2\nfirst',
  );
  expect(described.variables).toEqual([{ key: 'GIT_FETCH_EXTRA_FLAGS', value: '--prune --quiet --update-shallow' }]);
  const cutJob = await checkOut(scratch, server.remote('group/shallow.git'), cut.sha, '--update-shallow');
  expect(scratch.git(cutJob, 'rev-list', '--count', 'HEAD')).toBe('3');
  const depthJob = await checkOut(scratch, server.remote('group/shallow.git'), cut.sha, '--depth', '20');
  expect(scratch.git(depthJob, 'rev-list', '--count', 'HEAD')).toBe('3');
});

test('hooks do not run, the file system monitor is not asked, a split index stays', async () => {
  using scratch = makeScratch();
  const app = makeApp(scratch);
  const spoor = join(scratch.root, 'spoor');
  for (const hook of ['post-index-change', 'pre-commit', 'fsmonitor', 'reference-transaction']) {
    scratch.write(`app/.git/hooks/${hook}`, `#!/bin/sh\necho ${hook} >> ${spoor}\n`, 0o755);
  }
  scratch.git(app, 'update-index', '--split-index');
  scratch.git(app, 'config', 'core.fsmonitor', '.git/hooks/fsmonitor');
  scratch.git(app, 'config', 'core.untrackedCache', 'true');
  scratch.git(app, 'config', 'core.splitIndex', 'true');
  scratch.git(app, 'config', 'gc.auto', '1');
  scratch.write('app/kept.txt', 'new\n');
  rmSync(spoor, { force: true });
  const before = fingerprint(app);
  const snapshot = await snapshotOf(scratch, app, 'sources.git');
  expect(fingerprint(app)).toEqual(before);
  expect(() => statSync(spoor)).toThrow('ENOENT');
  expect(scratch.git(snapshot.directory, 'show', `${snapshot.sha}:kept.txt`)).toBe('new');
});

test('clean filters, line ends and conflicts are as `git add` makes them', async () => {
  using scratch = makeScratch();
  const app = makeApp(scratch);
  scratch.git(app, 'config', 'filter.upper.clean', 'tr a-z A-Z');
  scratch.git(app, 'config', 'core.autocrlf', 'true');
  scratch.git(app, 'config', 'core.safecrlf', 'true');
  scratch.git(app, 'config', 'commit.gpgSign', 'true');
  scratch.write('app/.gitattributes', '*.up filter=upper\n');
  scratch.write('app/a.up', 'shout\n');
  scratch.write('app/dos.txt', 'a\r\nb\r\n');
  const before = fingerprint(app);
  const snapshot = await snapshotOf(scratch, app, 'sources.git');
  expect(fingerprint(app)).toEqual(before);
  expect(scratch.git(snapshot.directory, 'show', `${snapshot.sha}:a.up`)).toBe('SHOUT');
  expect(scratch.git(snapshot.directory, 'cat-file', '-s', `${snapshot.sha}:dos.txt`)).toBe('4');
});

test('a merge conflict, a file in place of a folder and a folder in place of a file', async () => {
  using scratch = makeScratch();
  const app = makeApp(scratch);
  scratch.git(app, 'switch', '-qc', 'other');
  scratch.write('app/changed.txt', 'theirs\n');
  scratch.write('app/folder/in.txt', 'in\n');
  scratch.git(app, 'add', '.');
  scratch.git(app, 'commit', '-qm', 'other');
  scratch.git(app, 'switch', '-q', 'main');
  scratch.write('app/changed.txt', 'ours\n');
  scratch.git(app, 'commit', '-qam', 'ours');
  expect(() => scratch.git(app, 'merge', 'other')).toThrow();
  rmSync(join(app, 'folder'), { recursive: true });
  scratch.write('app/folder', 'a file now\n');
  rmSync(join(app, 'kept.txt'));
  scratch.write('app/kept.txt/inner.txt', 'a folder now\n');
  const before = fingerprint(app);
  const snapshot = await snapshotOf(scratch, app, 'sources.git');
  expect(fingerprint(app)).toEqual(before);
  const show = (path: string): string => scratch.git(snapshot.directory, 'show', `${snapshot.sha}:${path}`);
  expect(show('changed.txt')).toMatch(/^<<<<<<< /);
  expect(show('folder')).toBe('a file now');
  expect(show('kept.txt/inner.txt')).toBe('a folder now');
});

test('a nested repository is left out and told', async () => {
  using scratch = makeScratch();
  const app = makeApp(scratch);
  scratch.git(app, 'init', '-q', 'nested');
  scratch.write('app/nested/file.txt', 'x\n');
  const snapshot = await snapshotOf(scratch, app, 'sources.git');
  expect(snapshot.leftOut).toEqual([join(app, 'nested/')]);
  expect(snapshot.sha).toBe(scratch.git(app, 'rev-parse', 'HEAD'));
});
