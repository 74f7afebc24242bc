import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildZip } from '../../support/zip-builder.ts';
import { createWorkspace, runHelper, startServer, type TestServer, type Workspace } from './fixture.ts';

let server: TestServer;
let work: Workspace;
let file: string;

beforeEach(async () => {
  server = await startServer();
  work = createWorkspace();
  file = join(work.base, 'cache/key/cache.zip');
});
afterEach(async () => {
  await server.close();
  work.remove();
});

/** As the stage scripts call it: a path relative to the project. */
function save(argv: readonly string[], env: Record<string, string> = {}) {
  return runHelper(
    'cache-archiver',
    ['--file', '../cache/key/cache.zip', '--timeout', '10', ...argv],
    work.project,
    env,
  );
}

function restore(argv: readonly string[] = [], env: Record<string, string> = {}) {
  return runHelper(
    'cache-extractor',
    ['--file', '../cache/key/cache.zip', '--timeout', '10', ...argv],
    work.project,
    env,
  );
}

function clearProject(): void {
  for (const name of readdirSync(work.project)) rmSync(join(work.project, name), { recursive: true });
}

/** Lets everything in the project look older than any archive, as after a checkout some time ago. */
function age(...paths: readonly string[]): void {
  for (const path of paths) utimesSync(join(work.project, path), 1_600_000_000, 1_600_000_000);
}

const storedOnlyLocally =
  'No URL provided, cache will not be uploaded to shared cache server. Cache will be stored only locally.';
const localOnly =
  'No URL provided, cache will not be downloaded from shared cache server. Instead a local version of cache will be extracted.';

describe('a local cache', () => {
  it('is saved and restored', async () => {
    work.write('vendor/a', 'x');
    symlinkSync('a', join(work.project, 'vendor/l'));
    const saved = await save(['--path', 'vendor'], { CACHE_METADATA: '{"CacheKey":"my key"}' });
    expect(saved.exitCode).toBe(0);
    expect(saved.lines).toEqual(['vendor: found 3 matching artifact files and directories', storedOnlyLocally]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(file, '..')).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(file, '../metadata.json'), 'utf8')).toBe('{"cachekey":"my key"}');
    clearProject();
    const restored = await restore();
    expect(restored.exitCode).toBe(0);
    expect(restored.lines).toEqual([localOnly]);
    expect(readdirSync(join(work.project, 'vendor'))).toEqual(['a', 'l']);
  });

  it('takes its metadata from the file with the credentials', async () => {
    work.write('a');
    writeFileSync(join(work.base, 'env'), 'AWS_X="1"\nCACHE_METADATA="{\\"cachekey\\":\\"a $(b) \\\\\\\\ c\\"}"\n');
    await save(['--path', 'a', '--env-file', '../env']);
    expect(JSON.parse(readFileSync(join(file, '../metadata.json'), 'utf8'))).toEqual({ cachekey: 'a $(b) \\ c' });
  });

  it('is saved without metadata that cannot be read', async () => {
    work.write('a');
    const run = await save(['--path', 'a', '--metadata', '{']);
    expect(run.exitCode).toBe(0);
    expect(run.lines).toContain('WARNING: the cache metadata (CACHE_METADATA) is no JSON');
    expect(readFileSync(join(file, '../metadata.json'), 'utf8')).toBe('{}');
  });

  it('is not overwritten with nothing', async () => {
    work.write('a', 'x');
    await save(['--path', 'a']);
    const before = readFileSync(file);
    const run = await save(['--path', 'gone']);
    expect(run.exitCode).toBe(0);
    expect(run.lines.at(-1)).toBe('WARNING: No files to cache.');
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('is not packed again while nothing changes, not even in another checkout', async () => {
    work.write('d/a', 'x');
    work.write('d/b', 'x');
    age('d/a', 'd/b', 'd');
    await save(['--path', 'd']);
    const before = statSync(file).ino;
    expect((await save(['--path', 'd'])).lines.at(-1)).toBe('Archive is up to date!');
    clearProject();
    await restore();
    expect((await save(['--path', 'd'])).lines.at(-1)).toBe('Archive is up to date!');
    expect(statSync(file).ino).toBe(before);
  });

  it.each<[string, () => void]>([
    ['deleted', () => rmSync(join(work.project, 'd/b'))],
    ['added with an old time', () => work.write('d/c', 'x')],
    ['changed with an old time', () => work.write('d/a', 'longer')],
    ['made executable', () => work.write('d/a', 'x')],
  ])('is packed again when a file was %s', async (what, change) => {
    work.write('d/a', 'x');
    work.write('d/b', 'x');
    age('d/a', 'd/b', 'd');
    await save(['--path', 'd/*']);
    change();
    if (what === 'made executable') (await import('node:fs')).chmodSync(join(work.project, 'd/a'), 0o755);
    age(...readdirSync(join(work.project, 'd')).map((name) => `d/${name}`), 'd');
    expect((await save(['--path', 'd/*'])).lines.at(-1)).toBe(storedOnlyLocally);
    clearProject();
    await restore();
    expect(existsSync(join(work.project, 'd/b'))).toBe(what !== 'deleted');
  });

  it('is packed again when somebody else wrote the archive', async () => {
    work.write('a', 'x');
    age('a');
    await save(['--path', 'a']);
    writeFileSync(file, buildZip([{ name: 'a', content: 'other' }]));
    expect((await save(['--path', 'a'])).lines.at(-1)).toBe(storedOnlyLocally);
  });

  it('goes on from the file under the other key', async () => {
    work.write('a', 'x');
    await runHelper('cache-archiver', ['--file', '../cache/old/cache.zip', '--path', 'a'], work.project);
    const run = await save(['--path', 'a', '--alternate-file', '../cache/old/cache.zip']);
    expect(run.lines[0]).toBe('Renamed alternate cache file to primary');
    expect(existsSync(join(work.base, 'cache/old/cache.zip'))).toBe(false);
    expect(existsSync(file)).toBe(true);
  });

  it('leaves nothing half-made behind', async () => {
    work.write('a', 'x');
    await save(['--path', 'a']);
    expect(readdirSync(join(file, '..')).sort()).toEqual(['cache.zip', 'manifest.json', 'metadata.json']);
    const run = await save(['--path', 'a', '--path', '*'], { FASTZIP_ARCHIVER_CONCURRENCY: '0' });
    expect(run.exitCode).toBe(0);
    work.write('b', 'x');
    const failed = await save(['--path', '*'], { FASTZIP_ARCHIVER_CONCURRENCY: '0' });
    expect(failed.lines.at(-1)).toBe('FATAL: fastzip archiver concurrency: concurrency must be at least 1');
    expect(readdirSync(join(file, '..')).sort()).toEqual(['cache.zip', 'manifest.json', 'metadata.json']);
  });

  it('says what is wrong', async () => {
    expect((await restore()).lines).toEqual([localOnly, 'WARNING: Cache file does not exist']);
    expect((await restore()).exitCode).toBe(1);
    expect((await runHelper('cache-extractor', [], work.project)).lines).toEqual(['WARNING: Missing cache file']);
    expect((await runHelper('cache-archiver', ['--path', 'a'], work.project)).lines).toEqual(['FATAL: Missing --file']);
    expect((await restore(['--concurrency', '-1'])).lines[0]).toMatch(/^FATAL: invalid cache concurrency -1/);
    work.write('../cache/key/cache.zip', 'garbage');
    const run = await restore();
    expect(run.exitCode).toBe(1);
    expect(run.lines.at(-1)).toBe('FATAL: zip: not a valid zip file');
  });

  it('warns of levels and formats it does not have', async () => {
    work.write('a', 'x');
    const run = await save(['--path', 'a'], { CACHE_COMPRESSION_LEVEL: 'extreme', CACHE_COMPRESSION_FORMAT: 'rar' });
    expect(run.lines).toContain('WARNING: compression level "extreme" is invalid, falling back to default');
    expect(run.exitCode).toBe(0);
  });
});

describe('a cache with pre-signed URLs', () => {
  const archive = buildZip([{ name: 'a', content: 'remote' }]);
  const modified = 'Wed, 01 Jul 2026 10:00:00 GMT';
  const url = (path: string): string => `${server.url}/${path}?X-Sig=secret`;

  it('is uploaded with the headers given', async () => {
    work.write('a', 'x');
    server.answer({ status: 200 });
    const headers = [
      '--header',
      'X-Amz-Meta-Cachekey: k:1',
      '--header',
      'host: wrong',
      '--header',
      'content-type: application/zip',
    ];
    const run = await save(['--path', 'a', '--url', url('obj'), ...headers]);
    expect(run.exitCode).toBe(0);
    expect(run.lines.slice(1)).toEqual([
      'Using presigned URL for cache upload',
      `Uploading cache.zip to ${server.url}/obj`,
    ]);
    const [request] = server.received;
    expect(request?.method).toBe('PUT');
    expect(request?.url).toBe('/obj?X-Sig=secret');
    expect(request?.body.equals(readFileSync(file))).toBe(true);
    expect(request?.headers).toMatchObject({
      'x-amz-meta-cachekey': 'k:1',
      'content-type': 'application/zip',
      'content-length': String(statSync(file).size),
      'last-modified': new Date(Math.floor(statSync(file).mtimeMs / 1000) * 1000).toUTCString(),
      host: new URL(server.url).host,
    });
    expect(request?.rawHeaders.filter((name) => name.toLowerCase() === 'host')).toHaveLength(1);
  });

  it.each([
    [503, 3],
    [500, 3],
    [403, 1],
  ])('is tried again where that may help: %i, %i times', async (status, times) => {
    work.write('a', 'x');
    const xml = '<Error><Code>Some</Code><Message>why</Message></Error>';
    server.answer({ status, headers: { 'content-type': 'application/xml' }, body: xml });
    const run = await save(['--path', 'a', '--url', url('obj')]);
    expect(run.exitCode).toBe(1);
    expect(server.received).toHaveLength(times);
    expect(run.lines.at(-1)).toMatch(
      new RegExp(`^FATAL: received: ${status} .*\\. Request failed with code: Some, message: why$`),
    );
    expect(existsSync(file)).toBe(true);
  });

  it('stays local when it is too big', async () => {
    work.write('a', 'x');
    const run = await save(['--path', 'a', '--url', url('obj'), '--max-uploaded-archive-size', '10']);
    expect(run.exitCode).toBe(0);
    expect(run.lines.at(-1)).toMatch(
      /^Cache archive size \(\d+\) is too big \(Limit is set to 10\)\. Cache will be stored only locally\.$/,
    );
    expect(server.received).toEqual([]);
  });

  it('is not uploaded again when it is there', async () => {
    work.write('a', 'x');
    age('a');
    const argv = [
      '--path',
      'a',
      '--url',
      url('obj'),
      '--check-url',
      url('obj'),
      '--alternate-file',
      '../cache/other/cache.zip',
    ];
    server.answer({ status: 200 });
    await save(argv);
    const unchanged = await save(argv);
    expect(unchanged.lines.at(-1)).toBe('Primary cache already exists remotely, skipping upload');
    expect(server.received.map(({ method }) => method)).toEqual(['PUT', 'HEAD']);
    server.answer({ status: 404 }, { status: 200 });
    const missing = await save(argv);
    expect(missing.lines).toContain('Primary cache does not exist remotely, uploading existing archive');
    expect(server.received.map(({ method }) => method)).toEqual(['PUT', 'HEAD', 'HEAD', 'PUT']);
  });

  it('is downloaded, unpacked and described', async () => {
    server.answer({
      status: 200,
      headers: { 'last-modified': modified, etag: '"e"', 'x-amz-meta-Cachekey': 'k' },
      body: archive,
    });
    const run = await restore(['--url', url('obj')]);
    expect(run.exitCode).toBe(0);
    expect(run.lines).toEqual([
      'Using presigned URL for cache download',
      `Downloading cache from ${server.url}/obj etag="e"`,
    ]);
    expect(readFileSync(join(work.project, 'a'), 'utf8')).toBe('remote');
    expect(statSync(file).mtimeMs).toBe(Date.parse(modified));
    expect(readFileSync(join(file, '../metadata.json'), 'utf8')).toBe('{"cachekey":"k"}');
  });

  it('is not downloaded when the local one is as new', async () => {
    server.answer({ status: 200, headers: { 'last-modified': modified }, body: archive });
    await restore(['--url', url('obj')]);
    const run = await restore(['--url', url('obj')]);
    expect(run.lines.at(-1)).toBe('cache.zip is up to date');
    server.answer({ status: 200, headers: { 'last-modified': 'Thu, 02 Jul 2026 10:00:00 GMT' }, body: archive });
    expect((await restore(['--url', url('obj')])).lines.at(-1)).toContain('Downloading cache from');
  });

  it('is not found', async () => {
    server.answer({ status: 404 });
    const run = await restore(['--url', url('obj')]);
    expect(run.exitCode).toBe(1);
    expect(run.lines.at(-1)).toBe('WARNING: file does not exist');
    expect(server.received).toHaveLength(1);
  });

  it('is tried again after a break, and a half one is never used', async () => {
    server.answer({ status: 200, body: archive, breakAfter: 30 });
    const run = await restore(['--url', url('obj')]);
    expect(run.exitCode).toBe(1);
    expect(server.received).toHaveLength(3);
    expect(
      run.lines.filter((line) => line.startsWith('WARNING: Retrying... error=the download broke off')),
    ).toHaveLength(2);
    expect(readdirSync(join(file, '..'))).toEqual([]);
  });

  const older = 'Tue, 30 Jun 2026 10:00:00 GMT';
  it.each<[string, string | undefined, string | undefined, string, string]>([
    ['newer', older, modified, 'Selecting alternate cache URL: newer timestamp', '/alternate'],
    ['older', modified, older, 'Selecting primary cache URL', '/primary'],
    ['as old', modified, modified, 'Selecting primary cache URL', '/primary'],
    ['alone', undefined, modified, 'Selecting alternate cache URL: primary not available', '/alternate'],
    ['absent', modified, undefined, 'Selecting primary cache URL', '/primary'],
  ])('is taken from the other key where that one is %s', async (_what, primary, alternate, line, path) => {
    const modifiedAt = (time: string | undefined) =>
      time === undefined ? { status: 404 } : { status: 200, headers: { 'last-modified': time } };
    server.answer((request) => {
      if (request.method === 'GET') return { status: 200, headers: { 'last-modified': modified }, body: archive };
      return modifiedAt(request.url.startsWith('/head') ? primary : alternate);
    });
    const run = await restore([
      '--url',
      url('primary'),
      '--head-url',
      url('head'),
      '--alternate-url',
      url('alternate'),
      '--alternate-head-url',
      url('other'),
    ]);
    expect(run.lines[1]).toContain(line);
    expect(run.stderr).not.toContain('secret');
    expect(server.received.at(-1)?.url).toBe(`${path}?X-Sig=secret`);
  });

  it('names the stores that it does not know', async () => {
    const run = await restore(['--gocloud-url', 'ftp://bucket/key?region=x']);
    expect(run.exitCode).toBe(1);
    expect(run.lines.at(-1)).toBe('WARNING: cache URLs with the scheme "ftp" are not supported');
    work.write('a', 'x');
    const saved = await save(['--path', 'a', '--gocloud-url', 'ftp://c/key']);
    expect(saved.lines.at(-1)).toBe('FATAL: cache URLs with the scheme "ftp" are not supported');
    expect(existsSync(file)).toBe(true);
  });
});

describe('cache-init', () => {
  it('opens directories to everyone and goes on after a failure', async () => {
    work.write('d/x');
    const run = await runHelper('cache-init', [join(work.project, 'gone'), join(work.project, 'd')], work.project);
    expect(run.exitCode).toBe(0);
    expect(run.lines[0]).toMatch(/^ERROR: failed to chmod path error=ENOENT/);
    expect(statSync(join(work.project, 'd')).mode & 0o777).toBe(0o777);
    expect(statSync(join(work.project, 'd/x')).mode & 0o777).not.toBe(0o777);
  });

  it('needs a path', async () => {
    const run = await runHelper('cache-init', [], work.project);
    expect(run.exitCode).toBe(1);
    expect(run.lines).toEqual(['FATAL: No arguments passed, at least 1 path is required.']);
  });
});
