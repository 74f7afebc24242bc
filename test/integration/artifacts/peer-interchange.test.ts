import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { needs } from '../../support/needs.ts';
import { createWorkspace, runHelper, startServer, type TestServer, type Workspace } from './fixture.ts';

const peer = process.env['MILLRACE_PEER_HELPER'] ?? '';

let server: TestServer;
let work: Workspace;

beforeEach(async () => {
  server = await startServer();
  work = createWorkspace();
});
afterEach(async () => {
  await server.close();
  work.remove();
});

type Runner = (
  name: string,
  argv: readonly string[],
  directory: string,
  env?: Record<string, string>,
) => Promise<number>;

const ours: Runner = async (name, argv, directory, env = {}) => (await runHelper(name, argv, directory, env)).exitCode;

const theirs: Runner = (name, argv, directory, env = {}) => {
  const child = spawn(peer, [name, ...argv], {
    cwd: directory,
    env: { PATH: process.env['PATH'], ...env },
    stdio: 'ignore',
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? -1));
  });
};

function plant(root: string): void {
  mkdirSync(join(root, 'd/deep/er'), { recursive: true });
  mkdirSync(join(root, 'd/empty'));
  writeFileSync(join(root, 'd/text'), 'text '.repeat(1000));
  writeFileSync(join(root, 'd/none'), '');
  writeFileSync(join(root, 'd/deep/er/é 100%.bin'), readFileSync(process.execPath).subarray(0, 2_200_000), {
    mode: 0o755,
  });
  writeFileSync(Buffer.concat([Buffer.from(`${root}/d/`), Buffer.from([0x62, 0xff])]), 'odd');
  writeFileSync(join(root, 'd/secret'), 'x', { mode: 0o400 });
  symlinkSync('text', join(root, 'd/link'));
  symlinkSync('/nowhere', join(root, 'd/dangling'));
  utimesSync(join(root, 'd/deep'), 1_500_000_000, 1_500_000_000);
  chmodSync(join(root, 'd/empty'), 0o555);
}

function describeTree(root: Buffer | string, keepsDirectoryTimes: boolean): string[] {
  const base = Buffer.from(root);
  return readdirSync(base, { encoding: 'buffer' })
    .sort((a, b) => Buffer.compare(a, b))
    .flatMap((name) => {
      const path = Buffer.concat([base, Buffer.from('/'), name]);
      const stats = lstatSync(path);
      const facts = `${path.subarray(base.length).toString('latin1')} ${stats.mode.toString(8)} ${stats.uid}`;
      // The other program leaves the times of links alone, and changes those of directories by making links.
      if (stats.isSymbolicLink()) return [`${facts} ${readlinkSync(path)}`];
      const timed = `${facts} ${Math.floor(stats.mtimeMs / 1000)}`;
      if (stats.isDirectory()) return [keepsDirectoryTimes ? timed : facts, ...describeTree(path, keepsDirectoryTimes)];
      return [`${timed} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`];
    });
}

const pairs: [string, Runner, Runner][] = [
  ['ours → theirs', ours, theirs],
  ['theirs → ours', theirs, ours],
];
const settings = [
  { FF_USE_FASTZIP: 'true', CACHE_COMPRESSION_LEVEL: 'fastest' },
  { FF_USE_FASTZIP: 'true', CACHE_COMPRESSION_LEVEL: 'slow' },
  { FF_USE_FASTZIP: 'false', CACHE_COMPRESSION_LEVEL: 'default' },
];

describe.skipIf(!needs('peer-helper'))("interchange with the Go runner's helper", () => {
  it.each(pairs.flatMap(([name, from, to]) => settings.map((env) => [name, env, from, to] as const)))(
    'caches: %s, %o',
    async (_name, env, from, to) => {
      plant(work.project);
      const file = join(work.base, 'cache.zip');
      const target = join(work.base, 'target');
      mkdirSync(target);
      expect(await from('cache-archiver', ['--file', file, '--path', 'd'], work.project, env)).toBe(0);
      expect(await to('cache-extractor', ['--file', file], target, env)).toBe(0);
      expect(describeTree(target, to === ours)).toEqual(describeTree(work.project, to === ours));
    },
  );

  it.each(pairs)('artifacts: %s', async (_name, from, to) => {
    plant(work.project);
    const target = join(work.base, 'target');
    mkdirSync(target);
    const env = { CI_SERVER_URL: server.url, CI_JOB_TOKEN: 't', CI_JOB_ID: '1' };
    server.answer((request) =>
      request.method === 'POST' ? { status: 201 } : { status: 200, body: archiveOf(server) },
    );
    expect(await from('artifacts-uploader', ['--path', 'd'], work.project, env)).toBe(0);
    expect(await to('artifacts-downloader', [], target, env)).toBe(0);
    expect(describeTree(target, to === ours)).toEqual(describeTree(work.project, to === ours));
  });

  it.each(['gzip', 'raw'])('reports are the same in format %s', async (format) => {
    mkdirSync(join(work.project, 'r'));
    writeFileSync(join(work.project, 'r/junit.xml'), 'report '.repeat(100));
    utimesSync(join(work.project, 'r/junit.xml'), 1_500_000_000, 1_500_000_000);
    const env = { CI_SERVER_URL: server.url, CI_JOB_TOKEN: 't', CI_JOB_ID: '1' };
    const argv = ['--path', 'r/*', '--artifact-format', format, '--artifact-type', 'junit', '--expire-in', '1 week'];
    server.answer({ status: 201 });
    expect(await theirs('artifacts-uploader', argv, work.project, env)).toBe(0);
    expect(await ours('artifacts-uploader', argv, work.project, env)).toBe(0);
    const [first, second] = server.received;
    expect(second?.url).toBe(first?.url);
    const [a, b] = [formOf(first), formOf(second)];
    expect(b.head).toBe(a.head);
    // The compressed data may differ; name, comment and time in the header may not.
    const header = format === 'raw' ? a.content.length : a.content.indexOf(0, a.content.indexOf(0, 10) + 1);
    expect(b.content.toString('latin1', 10, header)).toBe(a.content.toString('latin1', 10, header));
    if (format === 'gzip') expect(b.content.subarray(0, 8).equals(a.content.subarray(0, 8))).toBe(true);
  });
});

function formOf(request: TestServer['received'][number] | undefined): {
  readonly head: string;
  readonly content: Buffer;
} {
  const body = request?.body ?? Buffer.alloc(0);
  const boundary = /boundary=(.+)$/.exec(request?.headers['content-type'] ?? '')?.[1] ?? '';
  const split = body.indexOf('\r\n\r\n');
  return {
    head: body.subarray(0, split).toString().replace(boundary, ''),
    content: body.subarray(split + 4, body.length - boundary.length - 8),
  };
}

function archiveOf(from: TestServer): Buffer {
  return formOf(from.received.find(({ method }) => method === 'POST')).content;
}
