import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AbortReason } from '../../../src/lib/abort.ts';
import { buildZip } from '../../support/zip-builder.ts';
import {
  type Answer,
  createWorkspace,
  type Received,
  runHelper,
  startServer,
  type TestServer,
  type Workspace,
} from './fixture.ts';
import { asked, type StoredObject, serveObject } from './object-answers.ts';

const modified = 'Wed, 01 Jul 2026 10:00:00 GMT';
const text = randomBytes(3000).toString('hex');
const object: StoredObject = { content: buildZip([{ name: 'a', content: text }]), etag: '"one"', modified };

let server: TestServer;
let work: Workspace;
let file: string;
/** By path, bucket included. */
let objects: Map<string, StoredObject & { readonly headers?: Readonly<Record<string, string>> }>;
let parts: Map<number, Buffer>;
/** Number of the part that fails once. */
let failingPart: number;

beforeEach(async () => {
  server = await startServer();
  work = createWorkspace();
  file = join(work.base, 'cache/key/cache.zip');
  writeFileSync(
    join(work.base, 'env'),
    'AWS_ACCESS_KEY_ID="id"\nAWS_SECRET_ACCESS_KEY="secret"\nCACHE_METADATA="{\\"cachekey\\":\\"my key\\"}"\n',
  );
  objects = new Map();
  parts = new Map();
  failingPart = 0;
  server.answer(answer);
});
afterEach(async () => {
  await server.close();
  work.remove();
});

/** What S3 does, as far as the helper needs it. */
function answer(request: Received): Answer {
  const { pathname, searchParams } = new URL(request.url, 'http://host');
  if (!(request.headers.authorization ?? '').includes('Credential=id/')) return { status: 403 };
  if (request.method === 'POST' && searchParams.has('uploads')) {
    return { status: 200, body: '<R><UploadId>u1</UploadId></R>' };
  }
  if (request.method === 'PUT' && searchParams.has('partNumber')) {
    const number = Number(searchParams.get('partNumber'));
    if (number === failingPart) {
      failingPart = 0;
      return { status: 503 };
    }
    parts.set(number, request.body);
    return { status: 200, headers: { etag: `"part-${number}"` } };
  }
  if (request.method === 'POST') {
    const receipts = [...request.body.toString().matchAll(/<ETag>&quot;part-(\d+)&quot;<\/ETag>/g)];
    const content = Buffer.concat(receipts.map(([, number]) => parts.get(Number(number)) ?? Buffer.alloc(0)));
    objects.set(pathname, { content, etag: '"multi"', modified });
    return { status: 200, body: '<R/>' };
  }
  if (request.method === 'DELETE') return { status: 204 };
  if (request.method === 'PUT') {
    const headers = { 'x-amz-meta-cachekey': String(request.headers['x-amz-meta-cachekey'] ?? '') };
    objects.set(pathname, { content: request.body, etag: '"put"', modified, headers });
    return { status: 200, headers: { etag: '"put"' } };
  }
  const found = objects.get(pathname);
  if (found === undefined) return { status: 404 };
  const answered = serveObject(found, request);
  const headers = { ...answered.headers, ...found.headers };
  if (request.method !== 'HEAD') return { ...answered, headers };
  return { status: 200, headers: { ...headers, 'content-length': String(found.content.length) } };
}

const place = (name = 'project/1/key'): string =>
  `s3://bucket/${name}?region=r1&endpoint=${encodeURIComponent(server.url)}&use_path_style=true&hostname_immutable=true&awssdk=v2`;

function restore(argv: readonly string[] = []) {
  const flags = ['--file', '../cache/key/cache.zip', '--gocloud-url', place(), '--env-file', '../env'];
  return runHelper('cache-extractor', [...flags, ...argv], work.project);
}

function save(argv: readonly string[] = [], signal?: AbortSignal) {
  const flags = ['--file', '../cache/key/cache.zip', '--alternate-file', '../cache/o/cache.zip', '--path', 'a'];
  return runHelper(
    'cache-archiver',
    [...flags, '--gocloud-url', place(), '--env-file', '../env', ...argv],
    work.project,
    {},
    signal,
  );
}

describe('a cache download from an object store', () => {
  it('asks, then gets it, with its metadata', async () => {
    objects.set('/bucket/project/1/key', { ...object, headers: { 'x-amz-meta-CacheKey': 'my%20key' } });
    const run = await restore();
    expect(run.lines).toEqual([
      'Using GoCloud URL for cache download',
      'Downloading cache from s3://bucket/project/1/key etag="one"',
    ]);
    expect(run.exitCode).toBe(0);
    expect(asked(server.received)).toEqual(['HEAD', 'GET']);
    expect(readFileSync(join(work.project, 'a'), 'utf8')).toBe(text);
    expect(readFileSync(join(dirname(file), 'metadata.json'), 'utf8')).toBe('{"cachekey":"my key"}');
    expect(statSync(file).mtimeMs).toBe(Date.parse(modified));
    server.received.length = 0;
    expect((await restore()).lines.at(-1)).toBe('cache.zip is up to date');
    expect(asked(server.received)).toEqual(['HEAD']);
  });

  it('gets a large one in pieces, of one object only', async () => {
    objects.set('/bucket/project/1/key', object);
    const run = await restore(['--chunk-size', '2000']);
    expect(run.exitCode).toBe(0);
    expect(run.lines.at(-1)).toContain('(parallel)');
    expect(server.received.slice(1).every(({ headers }) => headers['if-match'] === '"one"')).toBe(true);
    expect(server.received).toHaveLength(1 + Math.ceil(object.content.length / 2000));
    expect(readFileSync(file).equals(object.content)).toBe(true);
  });

  it('leaves the local cache in place where there is none', async () => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, object.content);
    const run = await restore();
    expect(run.exitCode).toBe(0);
    expect(readFileSync(join(work.project, 'a'), 'utf8')).toBe(text);
    expect(asked(server.received)).toEqual(['HEAD']);
  });

  it.each<[string, readonly string[], string, string]>([
    ['alone', ['other'], 'Selecting alternate GoCloud cache: primary not available', 'other'],
    ['newer', ['project/1/key', 'other'], 'Selecting alternate GoCloud cache: newer timestamp', 'other'],
    ['absent', ['project/1/key'], 'Selecting primary GoCloud cache', 'project/1/key'],
  ])('takes the alternate one where that is %s', async (_what, names, line, chosen) => {
    for (const name of names) {
      const time = name === 'other' ? 'Thu, 02 Jul 2026 10:00:00 GMT' : modified;
      objects.set(`/bucket/${name}`, { ...object, modified: time });
    }
    const run = await restore(['--alternate-gocloud-url', place('other')]);
    expect(run.exitCode).toBe(0);
    expect(run.lines[1]).toBe(line);
    expect(server.received.at(-1)?.url).toBe(`/bucket/${chosen}`);
  });

  it('says why it fails', async () => {
    writeFileSync(join(work.base, 'env'), 'AWS_ACCESS_KEY_ID="wrong"\nAWS_SECRET_ACCESS_KEY="secret"\n');
    const refused = await restore();
    expect(refused.exitCode).toBe(1);
    expect(refused.lines.at(-1)).toMatch(/^WARNING: .*403/);
    const nameless = await runHelper(
      'cache-extractor',
      ['--file', 'c.zip', '--gocloud-url', 's3://bucket?region=x'],
      work.project,
    );
    expect(nameless.lines.at(-1)).toBe('WARNING: no object name provided');
    const unread = await restore(['--env-file', '../gone']);
    expect(unread.lines.at(-1)).toMatch(/^WARNING: failed to read env file: .*gone/);
    const other = await restore(['--alternate-gocloud-url', 'ftp://x/y']);
    expect(other.lines.some((line) => line.includes('Failed to open alternate GoCloud cache bucket'))).toBe(false);
    writeFileSync(join(work.base, 'env'), 'AWS_ACCESS_KEY_ID="id"\nAWS_SECRET_ACCESS_KEY="secret"\n');
    const warned = await restore(['--alternate-gocloud-url', 'ftp://x/y']);
    expect(warned.lines[1]).toContain('WARNING: Failed to open alternate GoCloud cache bucket error=');
  });
});

describe('a cache upload to an object store', () => {
  it('stores a small one in one request, with its metadata', async () => {
    work.write('a', 'x');
    const run = await save();
    expect(run.exitCode).toBe(0);
    expect(run.lines.slice(1)).toEqual([
      'Using GoCloud URL for cache upload',
      'Uploading cache.zip to s3://bucket/project/1/key',
    ]);
    expect(asked(server.received)).toEqual(['PUT', 'HEAD']);
    expect(server.received[0]?.headers['content-type']).toBe('application/zip');
    expect(server.received[0]?.headers['x-amz-meta-cachekey']).toBe('my%20key');
    expect(objects.get('/bucket/project/1/key')?.content.equals(readFileSync(file))).toBe(true);
  });

  it('uploads nothing where nothing changed', async () => {
    work.write('a', 'x');
    utimesSync(join(work.project, 'a'), 1_600_000_000, 1_600_000_000);
    await save();
    server.received.length = 0;
    const run = await save();
    expect(run.lines.at(-1)).toBe('Primary cache already exists remotely, skipping upload');
    expect(asked(server.received)).toEqual(['HEAD']);
    objects.clear();
    expect((await save()).lines).toContain('Primary cache does not exist remotely, uploading existing archive');
    expect(objects.size).toBe(1);
  });

  it('stores a large one in parts, and sends only what failed again', async () => {
    work.write('a', randomBytes(23_000_000));
    failingPart = 2;
    const run = await save(['--chunk-size', '6000000']);
    expect(run.exitCode).toBe(0);
    expect(run.lines.filter((line) => line.startsWith('WARNING: Retrying...'))).toHaveLength(1);
    const sent = server.received.flatMap(({ url, body }) => {
      const number = /partNumber=(\d+)/.exec(url)?.[1];
      return number === undefined ? [] : [[Number(number), body.length] as const];
    });
    // 5 MiB is the unit: 10 MiB each.
    expect(sent.filter(([number]) => number === 2)).toHaveLength(2);
    expect(sent.filter(([number]) => number === 1)).toHaveLength(1);
    expect(sent.find(([number]) => number === 1)?.[1]).toBe(10 * 1024 * 1024);
    expect(objects.get('/bucket/project/1/key')?.content.equals(readFileSync(file))).toBe(true);
    expect(server.received.some(({ method }) => method === 'DELETE')).toBe(false);
  });

  it('gives up its parts when it fails for good', async () => {
    work.write('a', randomBytes(23_000_000));
    server.answer((request) => (request.url.includes('partNumber=2') ? { status: 403 } : answer(request)));
    const run = await save();
    expect(run.exitCode).toBe(1);
    expect(run.lines.at(-1)).toMatch(/^FATAL: .*403/);
    expect(server.received.at(-1)?.method).toBe('DELETE');
    expect(objects.size).toBe(0);
    expect(existsSync(file)).toBe(true);
  });

  it('gives up its parts when it is stopped', async () => {
    work.write('a', randomBytes(23_000_000));
    const stop = new AbortController();
    server.answer((request) => {
      if (request.url.includes('partNumber=2')) stop.abort(new AbortReason('interrupted'));
      return answer(request);
    });
    expect((await save([], stop.signal)).exitCode).toBe(1);
    expect(server.received.at(-1)?.method).toBe('DELETE');
    expect(objects.size).toBe(0);
  });
});
