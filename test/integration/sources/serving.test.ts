import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { connectCoordinator } from '../../../src/pipeline/run/coordinator-client.ts';
import { describeSources } from '../../../src/pipeline/sources/describe-sources.ts';
import { type UploadPart, uploadSources } from '../../../src/pipeline/sources/upload-sources.ts';
import { fingerprint, jobToken, makeScratch, neverAborted, type Scratch, snapshotOf, startServer } from './harness.ts';

const run = promisify(execFile);

function makeApp(scratch: Scratch): string {
  const app = join(scratch.root, 'app');
  mkdirSync(app);
  scratch.git(app, 'init', '-q');
  scratch.write('app/file.txt', 'one\n');
  scratch.git(app, 'add', '.');
  scratch.git(app, 'commit', '-qm', 'first');
  return app;
}

async function clone(scratch: Scratch, remote: string, ...args: string[]): Promise<string> {
  const job = join(scratch.root, `job-${Math.random().toString(36).slice(2)}`);
  await run('git', [...args, 'clone', '-q', remote, job], { env: scratch.env });
  return job;
}

/** What `git fetch` says about one object; empty when it got it. */
async function tryFetch(scratch: Scratch, remote: string, object: string, version: string): Promise<string> {
  const job = join(scratch.root, `fetch-${Math.random().toString(36).slice(2)}`);
  mkdirSync(job);
  await run('git', ['init', '-q'], { cwd: job, env: scratch.env });
  const fetch = run('git', ['-c', `protocol.version=${version}`, 'fetch', '-q', remote, object], {
    cwd: job,
    env: scratch.env,
  });
  return await fetch.then(
    () => '',
    (error: Error & { stderr: string }) => error.stderr,
  );
}

test('nothing outside the snapshot’s history is handed out, in any protocol version', async () => {
  using scratch = makeScratch();
  const app = makeApp(scratch);
  scratch.git(app, 'commit', '-qm', 'second', '--allow-empty');
  scratch.git(app, 'tag', '-a', 'v1', '-m', 'one', 'HEAD~1');
  scratch.git(app, 'switch', '-qc', 'secret');
  scratch.write('app/secret.txt', 'secret\n');
  scratch.git(app, 'add', '.');
  scratch.git(app, 'commit', '-qm', 'secret');
  scratch.git(app, 'tag', '-a', 'hidden', '-m', 'hidden');
  scratch.git(app, 'switch', '-q', 'main');
  scratch.write('app/file.txt', 'two\n');
  const snapshot = await snapshotOf(scratch, app, 'sources.git');
  await using server = await startServer(scratch, describeSources(snapshot, 'group/app').manifest);
  const remote = server.remote('group/app.git');
  const forbidden = ['secret', 'secret:secret.txt', 'secret^{tree}', 'hidden'].map((name) =>
    scratch.git(app, 'rev-parse', name),
  );
  for (const version of ['0', '1', '2']) {
    for (const object of forbidden) expect(await tryFetch(scratch, remote, object, version)).not.toBe('');
    expect(await tryFetch(scratch, remote, scratch.git(app, 'rev-parse', 'HEAD~1'), version)).toBe('');
    expect(await tryFetch(scratch, remote, 'refs/tags/v1', version)).toBe('');
    expect(await tryFetch(scratch, remote, snapshot.sha, version)).toBe('');
  }
  const refs = (await run('git', ['ls-remote', remote], { env: scratch.env })).stdout;
  expect(refs.split('\n').map((line) => line.split('\t')[1])).toEqual([
    'HEAD',
    'refs/heads/main',
    'refs/tags/v1',
    'refs/tags/v1^{}',
    undefined,
  ]);
});

test('the default branch is there as far as the history shares it', async () => {
  using scratch = makeScratch();
  const app = makeApp(scratch);
  const base = scratch.git(app, 'rev-parse', 'HEAD');
  scratch.git(app, 'switch', '-qc', 'feature');
  scratch.git(app, 'commit', '-qm', 'feature', '--allow-empty');
  scratch.git(app, 'switch', '-q', 'main');
  scratch.git(app, 'commit', '-qm', 'main went on', '--allow-empty');
  scratch.git(app, 'switch', '-q', 'feature');
  const snapshot = await snapshotOf(scratch, app, 'sources.git', { branch: 'feature' });
  await using server = await startServer(scratch, describeSources(snapshot, 'group/app').manifest);
  const job = await clone(scratch, server.remote('group/app.git'));
  expect(scratch.git(job, 'rev-parse', 'origin/main')).toBe(base);
  expect(scratch.git(job, 'rev-parse', 'HEAD')).toBe(snapshot.sha);
});

test('the token of a running job is needed, and pushing is refused', async () => {
  using scratch = makeScratch();
  const app = makeApp(scratch);
  const snapshot = await snapshotOf(scratch, app, 'sources.git');
  await using server = await startServer(scratch, describeSources(snapshot, 'group/app').manifest);
  const ask = async (path: string, user = 'gitlab-ci-token', token = jobToken, method = 'GET'): Promise<number> => {
    const authorization = `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`;
    return (await fetch(`${server.url}${path}`, { method, headers: { authorization } })).status;
  };
  const refs = '/group/app.git/info/refs?service=git-upload-pack';
  expect((await fetch(`${server.url}${refs}`)).status).toBe(401);
  expect(await ask(refs, 'gitlab-ci-token', 'wrong')).toBe(401);
  expect(await ask(refs, 'root')).toBe(401);
  expect(await ask(refs)).toBe(200);
  expect(await ask('/group/other.git/info/refs?service=git-upload-pack')).toBe(404);
  expect(await ask('/group/app.git/info/refs?service=git-receive-pack')).toBe(403);
  expect(await ask('/group/app.git/git-receive-pack', 'gitlab-ci-token', jobToken, 'POST')).toBe(403);
  expect(await ask('/group/app.git/info/refs')).toBe(404);
  expect(await ask('/group/app.git/HEAD')).toBe(404);
  expect(await ask('/group/app.git/../app.git/objects/info/packs')).toBe(404);
  server.endJob();
  expect(await ask(refs)).toBe(401);
});

test('compressed requests are understood, others refused in the protocol', async () => {
  using scratch = makeScratch();
  const app = makeApp(scratch);
  const snapshot = await snapshotOf(scratch, app, 'sources.git');
  await using server = await startServer(scratch, describeSources(snapshot, 'group/app').manifest);
  const post = async (lines: string[]): Promise<string> => {
    const packets = lines.map((line) =>
      line === '' ? '0000' : `${(line.length + 4).toString(16).padStart(4, '0')}${line}`,
    );
    const answer = await fetch(server.remote('group/app.git/git-upload-pack').replace(/\/\/.*@/, '//'), {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`gitlab-ci-token:${jobToken}`).toString('base64')}`,
        'content-encoding': 'gzip',
        'content-type': 'application/x-git-upload-pack-request',
      },
      body: gzipSync(packets.join('')),
    });
    return await answer.text();
  };
  expect(await post([`want ${snapshot.sha} side-band-64k\n`, '', 'done\n'])).toMatch(/^0008NAK\n.*PACK/s);
  expect(await post([`want ${snapshot.sha.replace(/./g, '1')}\n`, '', 'done\n'])).toMatch(
    /ERR upload-pack: not our ref 1{40}/,
  );
  expect(await post(['want-ref refs/heads/main\n', '', 'done\n'])).toMatch(/ERR /);
});

test('an upload is served as well, with a shallow history and LFS objects', async (context) => {
  using scratch = makeScratch();
  const app = makeApp(scratch);
  if (!hasLfs(scratch)) return context.skip('git-lfs is not installed');
  for (const text of ['2', '3']) scratch.git(app, 'commit', '-qm', text, '--allow-empty');
  const shallow = join(scratch.root, 'shallow');
  scratch.git(scratch.root, 'clone', '-q', '--depth=2', `file://${app}`, shallow);
  scratch.git(shallow, 'lfs', 'install', '--local');
  scratch.git(shallow, 'lfs', 'track', '*.bin');
  scratch.write('shallow/big.bin', 'big\n');
  const snapshot = await snapshotOf(scratch, shallow, 'sources.git');
  await using server = await startServer(scratch);
  const { manifest } = describeSources(snapshot, 'group/app');
  const client = connectCoordinator({ url: server.url, adminToken: 'admin', caFile: '' }, {}, () => {});
  const upload: UploadPart = async (header, content, signal) => await client.uploadPart(7, header, content, signal);
  await uploadSources(snapshot, manifest, upload, scratch.env, neverAborted);
  client.close();
  expect(server.isReady).toBe(true);
  const job = join(scratch.root, 'job');
  await run('git', ['clone', '-q', server.remote('group/app.git'), job], { env: scratch.env });
  scratch.git(job, 'lfs', 'install', '--local');
  await run('git', ['lfs', 'pull'], { cwd: job, env: scratch.env });
  expect(readFileSync(join(job, 'big.bin'), 'utf8')).toBe('big\n');
  expect(scratch.git(job, 'rev-list', '--count', 'HEAD')).toBe('3');
});

function hasLfs(scratch: Scratch): boolean {
  try {
    return scratch.git(scratch.root, 'lfs', 'version') !== '';
  } catch {
    return false;
  }
}

test('LFS objects: committed, changed and new ones; the store of the user stays', async (context) => {
  using scratch = makeScratch();
  const app = makeApp(scratch);
  if (!hasLfs(scratch)) return context.skip('git-lfs is not installed');
  scratch.git(app, 'lfs', 'install', '--local');
  scratch.git(app, 'lfs', 'track', '*.bin');
  scratch.write('app/old.bin', 'old\n');
  scratch.write('app/changed.bin', 'before\n');
  scratch.git(app, 'add', '.');
  scratch.git(app, 'commit', '-qm', 'lfs');
  scratch.write('app/changed.bin', 'after\n');
  scratch.write('app/new.bin', 'new\n');
  const before = fingerprint(app);
  const snapshot = await snapshotOf(scratch, app, 'sources.git');
  expect(fingerprint(app)).toEqual(before);
  await using server = await startServer(scratch, describeSources(snapshot, 'group/app').manifest);
  const job = await clone(
    scratch,
    server.remote('group/app.git'),
    '-c',
    'filter.lfs.smudge=',
    '-c',
    'filter.lfs.required=false',
  );
  expect(readFileSync(join(job, 'new.bin'), 'utf8')).toMatch(/^version https:\/\/git-lfs/);
  scratch.git(job, 'lfs', 'install', '--local');
  await run('git', ['lfs', 'pull'], { cwd: job, env: scratch.env });
  const contents = ['old.bin', 'changed.bin', 'new.bin'].map((name) => readFileSync(join(job, name), 'utf8'));
  expect(contents).toEqual(['old\n', 'after\n', 'new\n']);
  const objects = readdirSync(join(app, '.git', 'lfs', 'objects'), { recursive: true }).filter(
    (name) => String(name).length > 60,
  );
  expect(objects).toHaveLength(2);
  const push = run('git', ['lfs', 'push', '--all', 'origin'], { cwd: job, env: scratch.env });
  await expect(push).rejects.toThrow();
});

test('submodules: relative and foreign URLs, nested, with changes; one that is not checked out', async () => {
  using scratch = makeScratch();
  for (const name of ['app', 'relative', 'foreign', 'nested', 'absent']) {
    mkdirSync(join(scratch.root, 'remotes', name), { recursive: true });
    scratch.git(join(scratch.root, 'remotes', name), 'init', '-q');
    scratch.write(`remotes/${name}/${name}.txt`, `${name}\n`);
    scratch.git(join(scratch.root, 'remotes', name), 'add', '.');
    scratch.git(join(scratch.root, 'remotes', name), 'commit', '-qm', name);
  }
  const remotes = `file://${scratch.root}/remotes`;
  scratch.git(join(scratch.root, 'remotes', 'foreign'), 'submodule', '--quiet', 'add', '../nested', 'deep/nested');
  scratch.git(join(scratch.root, 'remotes', 'foreign'), 'commit', '-qm', 'nested');
  const app = join(scratch.root, 'app');
  scratch.git(scratch.root, 'clone', '-q', `${remotes}/app`, app);
  scratch.git(app, 'submodule', '--quiet', 'add', '../relative', 'relative');
  scratch.git(app, 'submodule', '--quiet', 'add', `${remotes}/foreign`, 'foreign');
  scratch.git(app, 'submodule', '--quiet', 'add', '../absent', 'absent');
  scratch.git(app, 'submodule', '--quiet', 'update', '--init', '--recursive');
  scratch.git(app, 'commit', '-qm', 'submodules');
  scratch.git(app, 'submodule', '--quiet', 'deinit', 'absent');

  const clean = await snapshotOf(scratch, app, 'clean.git');
  expect(clean.sha).toBe(scratch.git(app, 'rev-parse', 'HEAD'));
  scratch.write('app/relative/relative.txt', 'relative changed\n');
  scratch.write('app/foreign/deep/nested/new.txt', 'new\n');
  const before = fingerprint(app);
  const snapshot = await snapshotOf(scratch, app, 'sources.git');
  expect(fingerprint(app)).toEqual(before);

  const { manifest, variables } = describeSources(snapshot, 'group/app');
  expect(manifest.repositories.map(({ path }) => path)).toEqual([
    'group/app',
    'group/app.git/-/submodules/1',
    'group/app.git/-/submodules/2',
    'group/relative',
  ]);
  await using server = await startServer(scratch, manifest);
  const remote = server.remote('group/app.git');
  const job = await clone(scratch, remote);
  const expand = (text: string): string => text.replaceAll('${CI_REPOSITORY_URL}', remote);
  const env = {
    ...scratch.env,
    ...Object.fromEntries(variables.map(({ key, value }) => [key, expand(value)])),
  };
  const update = run('git', ['submodule', 'update', '--init', '--recursive', '--', 'relative', 'foreign'], {
    cwd: job,
    env,
  });
  await update;
  const contents = [
    'relative/relative.txt',
    'foreign/foreign.txt',
    'foreign/deep/nested/nested.txt',
    'foreign/deep/nested/new.txt',
  ].map((path) => readFileSync(join(job, path), 'utf8'));
  expect(contents).toEqual(['relative changed\n', 'foreign\n', 'nested\n', 'new\n']);
  expect(existsSync(join(job, 'absent', '.git'))).toBe(false);
  // The redirects did not come from the other server.
  expect(scratch.git(join(job, 'foreign'), 'rev-parse', 'HEAD')).not.toBe(
    scratch.git(join(scratch.root, 'remotes/foreign'), 'rev-parse', 'HEAD'),
  );
});

test('a partial clone is served without its history, whose objects may be missing', async () => {
  using scratch = makeScratch();
  const origin = makeApp(scratch);
  scratch.git(origin, 'config', 'uploadpack.allowFilter', 'true');
  scratch.write('app/file.txt', 'two\n');
  scratch.git(origin, 'commit', '-qam', 'second');
  const partial = join(scratch.root, 'partial');
  scratch.git(scratch.root, 'clone', '-q', '--filter=blob:none', `file://${origin}`, partial);
  scratch.write('partial/new.txt', 'new\n');
  const snapshot = await snapshotOf(scratch, partial, 'sources.git');
  await using server = await startServer(scratch, describeSources(snapshot, 'group/app').manifest);
  const job = await clone(scratch, server.remote('group/app.git'));
  expect(readFileSync(join(job, 'new.txt'), 'utf8')).toBe('new\n');
  expect(scratch.git(job, 'log', '--format=%s')).toMatch(/^Snapshot of the work tree.*\nsecond$/);
});
