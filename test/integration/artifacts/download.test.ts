import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildZip } from '../../support/zip-builder.ts';
import { createWorkspace, runHelper, startServer, type TestServer, type Workspace } from './fixture.ts';

const archive = buildZip([{ name: 'out/f', content: 'hello', deflate: true }]);
const token = 'glcbt-64_abcdefghijklmn';

let server: TestServer;
let store: TestServer;
let work: Workspace;

beforeEach(async () => {
  server = await startServer();
  store = await startServer();
  work = createWorkspace();
});
afterEach(async () => {
  await server.close();
  await store.close();
  work.remove();
});

function download(argv: readonly string[] = [], env: Record<string, string> = {}) {
  const job = { CI_SERVER_URL: server.url, CI_JOB_TOKEN: token, CI_JOB_ID: '42', TMPDIR: work.base, ...env };
  return runHelper('artifacts-downloader', argv, work.project, job);
}

function unpacked(): string {
  return readFileSync(join(work.project, 'out/f'), 'utf8');
}

describe('artifacts-downloader', () => {
  it('unpacks what the coordinator sends', async () => {
    server.answer({ status: 200, body: archive });
    const run = await download();
    expect(run.exitCode).toBe(0);
    expect(unpacked()).toBe('hello');
    expect(server.received[0]?.url).toBe('/api/v4/jobs/42/artifacts');
    expect(server.received[0]?.headers['job-token']).toBe(token);
    expect(run.lines.at(-1)).toMatch(
      /^Downloading artifacts from coordinator\.\.\. ok correlation_id=\w+ host=127\.0\.0\.1:\d+ id=42 status=200 OK token=64_abcdef$/,
    );
    expect(readdirSync(work.base)).toEqual(['project']);
  });

  it('follows a redirect without giving away the token', async () => {
    store.answer({ status: 200, body: archive });
    server.answer({ status: 302, headers: { location: `${store.url}/bucket/artifacts.zip?sig=x` } });
    expect((await download()).exitCode).toBe(0);
    expect(store.received[0]?.headers['job-token']).toBeUndefined();
    expect(unpacked()).toBe('hello');
  });

  it.each([302, 307])('gets the archive from where it lies (%i), asking the coordinator once', async (status) => {
    store.answer({ status: 200, body: archive });
    server.answer({ status, headers: { location: `${store.url}/bucket/artifacts.zip?sig=x` } });
    const run = await download([], { FF_USE_DIRECT_DOWNLOAD: 'true' });
    expect(run.exitCode).toBe(0);
    expect(server.received.map(({ url }) => url)).toEqual(['/api/v4/jobs/42/artifacts?direct_download=true']);
    expect(store.received[0]?.url).toBe('/bucket/artifacts.zip?sig=x');
    expect(store.received[0]?.headers['job-token']).toBeUndefined();
    expect(run.lines.some((line) => line.startsWith(`Direct download from ${new URL(store.url).host}`))).toBe(true);
    expect(unpacked()).toBe('hello');
  });

  it('falls back to the coordinator where the store refuses', async () => {
    store.answer({ status: 403 });
    server.answer({ status: 302, headers: { location: `${store.url}/x` } }, { status: 200, body: archive });
    const run = await download(['--direct-download']);
    expect(run.exitCode).toBe(0);
    expect(server.received.map(({ url }) => url)).toEqual(
      Array(2).fill('/api/v4/jobs/42/artifacts?direct_download=true'),
    );
  });

  it('asks for a direct download only the first time', async () => {
    server.answer({ status: 400 }, { status: 200, body: archive });
    const run = await download(['--direct-download']);
    expect(run.exitCode).toBe(0);
    expect(server.received.map(({ url }) => url)).toEqual([
      '/api/v4/jobs/42/artifacts?direct_download=true',
      '/api/v4/jobs/42/artifacts',
    ]);
    expect(run.slept).toEqual([1000]);
  });

  it.each([
    [401, 'unauthorized', 'permission denied', 1],
    [403, 'forbidden', 'permission denied', 1],
    [404, 'not found', 'file does not exist', 1],
    [400, 'failed', 'invalid argument', 3],
    [502, 'failed', 'invalid argument', 15],
  ])('maps %i', async (status, word, fatal, requests) => {
    server.answer({ status });
    const run = await download();
    expect(run.exitCode).toBe(1);
    expect(run.lines.at(-1)).toBe(`FATAL: ${fatal}`);
    expect(run.lines.some((line) => line.includes(`Downloading artifacts from coordinator... ${word}`))).toBe(true);
    expect(server.received).toHaveLength(requests);
    expect(readdirSync(work.base)).toEqual(['project']);
  });

  it('shows the reasons of coordinator and object store', async () => {
    const xml = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Policy says no</Message></Error>';
    server.answer({ status: 403, headers: { 'content-type': 'application/xml' }, body: xml });
    expect((await download()).lines[0]).toContain('status=403 Forbidden (AccessDenied: Policy says no)');
    server.answer({ status: 403, headers: { 'content-type': 'application/json' }, body: '{"message":"nope"}' });
    expect((await download()).lines[0]).toContain('403 Forbidden (nope)');
  });

  it('starts again when the archive breaks off', async () => {
    server.answer({ status: 200, body: archive, breakAfter: 20 }, { status: 200, body: archive });
    const run = await download();
    expect(run.exitCode).toBe(0);
    expect(unpacked()).toBe('hello');
    expect(run.lines.some((line) => line.startsWith('ERROR: Downloading artifacts from coordinator... error'))).toBe(
      true,
    );
  });

  it('refuses an archive that leads out of the project', async () => {
    server.answer({ status: 200, body: buildZip([{ name: '../evil', content: 'x' }]) });
    const run = await download();
    expect(run.exitCode).toBe(1);
    expect(run.lines.at(-1)).toContain(
      `FATAL: ${work.base}/evil cannot be extracted outside of chroot (${work.project})`,
    );
    expect(readdirSync(work.base)).toEqual(['project']);
  });

  it('keeps the limits it is given', async () => {
    server.answer({ status: 200, body: archive });
    const run = await download([], { MILLRACE_EXTRACT_MAX_BYTES: '3' });
    expect(run.lines.at(-1)).toContain('more than the limit of 3');
  });

  it('says what is missing', async () => {
    const run = await runHelper('artifacts-downloader', [], work.project);
    expect(run.exitCode).toBe(1);
    expect(run.lines).toEqual([
      'WARNING: Missing URL (--url)',
      'WARNING: Missing runner credentials (--token)',
      'WARNING: Missing build ID (--id)',
      'FATAL: Incomplete arguments',
    ]);
  });

  it('shows progress', async () => {
    server.answer({ status: 200, body: archive });
    const run = await download(['--transfer-meter-frequency=5s']);
    expect(run.stdout).toContain(`\rDownloading artifacts ${archive.length} B (`);
  });
});
