import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildZip } from '../../support/zip-builder.ts';
import { createWorkspace, runHelper, startServer, type TestServer, type Workspace } from './fixture.ts';
import { asked, type StoredObject, serveObject } from './object-answers.ts';

const older = 'Tue, 30 Jun 2026 10:00:00 GMT';
const newer = 'Wed, 01 Jul 2026 10:00:00 GMT';
const payload = randomBytes(5000);
const archive = buildZip([{ name: 'a', content: payload.toString('hex') }]);
const object: StoredObject = { content: archive, etag: '"one"', modified: newer };
const another: StoredObject = {
  content: buildZip([{ name: 'a', content: randomBytes(5000).toString('hex') }]),
  etag: '"two"',
  modified: 'Thu, 02 Jul 2026 10:00:00 GMT',
};

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

function restore(argv: readonly string[] = [], env: Record<string, string> = {}) {
  const url = ['--url', `${server.url}/obj?sig=secret`];
  return runHelper('cache-extractor', ['--file', '../cache/key/cache.zip', ...url, ...argv], work.project, env);
}

function unpacked(): string {
  return readFileSync(join(work.project, 'a'), 'utf8');
}

const inPieces = ['--chunk-size', '1000'];

describe('a cache download in pieces', () => {
  it('asks for the first piece, then for the others', async () => {
    server.answer((request) => serveObject(object, request));
    const run = await restore(inPieces);
    expect(run.exitCode).toBe(0);
    expect(unpacked()).toBe(payload.toString('hex'));
    const pieces = Math.ceil(archive.length / 1000);
    const last = `${(pieces - 1) * 1000}-${archive.length - 1}`;
    expect(asked(server.received)[0]).toBe('GET 0-999');
    expect([...asked(server.received)].sort()).toEqual(
      [
        ...Array.from({ length: pieces - 1 }, (_, index) => `GET ${index * 1000}-${index * 1000 + 999}`),
        `GET ${last}`,
      ].sort(),
    );
    expect(new Set(server.received.slice(1).map(({ headers }) => headers['if-range']))).toEqual(new Set(['"one"']));
    expect(run.lines).toEqual([
      'Using presigned URL for cache download',
      `Downloading cache from ${server.url}/obj (parallel) etag="one"`,
    ]);
    expect(statSync(file).mtimeMs).toBe(Date.parse(newer));
    expect(readFileSync(file).equals(archive)).toBe(true);
  });

  it('is one request where the cache is small', async () => {
    server.answer((request) => serveObject(object, request));
    const run = await restore();
    expect(asked(server.received)).toEqual(['GET 0-16777215']);
    expect(run.lines.at(-1)).toBe(`Downloading cache from ${server.url}/obj etag="one"`);
    expect(unpacked()).toBe(payload.toString('hex'));
  });

  it.each<[string, readonly string[], Record<string, string>]>([
    ['the flag is off', inPieces, { FF_USE_PARALLEL_CACHE_TRANSFER: 'false' }],
    ['one at a time is wanted', [...inPieces, '--concurrency', '1'], {}],
    ['none at a time is wanted', inPieces, { CACHE_CONCURRENCY: '0' }],
  ])('is off where %s', async (_what, argv, env) => {
    server.answer((request) => serveObject(object, request));
    const run = await restore(argv, env);
    expect(run.exitCode).toBe(0);
    expect(asked(server.received)).toEqual(['GET']);
  });

  it('takes the whole from a server that knows no parts', async () => {
    server.answer({ status: 200, headers: { etag: '"e"', 'last-modified': newer }, body: archive });
    const run = await restore(inPieces);
    expect(run.exitCode).toBe(0);
    expect(asked(server.received)).toEqual(['GET 0-999']);
    expect(run.lines).toContain('Presigned URL did not honor Range request, using sequential download');
    expect(unpacked()).toBe(payload.toString('hex'));
  });

  it('takes the whole where nothing tells one object from another', async () => {
    server.answer((request) => {
      const { headers: { etag: _etag, 'last-modified': _modified, ...headers } = {}, ...answer } = serveObject(
        object,
        request,
      );
      return { ...answer, headers };
    });
    const run = await restore(inPieces);
    expect(run.exitCode).toBe(0);
    expect(asked(server.received)).toEqual(['GET 0-999', 'GET']);
    expect(unpacked()).toBe(payload.toString('hex'));
  });

  it.each([416, 404])('falls back or fails where the first piece is answered with %i', async (status) => {
    server.answer({ status }, { status: 200, body: archive });
    const run = await restore(inPieces);
    expect(run.exitCode).toBe(status === 416 ? 0 : 1);
    expect(asked(server.received)).toEqual(status === 416 ? ['GET 0-999', 'GET'] : ['GET 0-999']);
  });

  it('never puts together pieces of two objects', async () => {
    let answers = 0;
    server.answer((request) => {
      answers += 1;
      return serveObject(answers <= 4 ? object : another, request);
    });
    const run = await restore(inPieces);
    expect(run.exitCode).toBe(0);
    expect(readFileSync(file).equals(another.content)).toBe(true);
    expect(run.lines).toContain('WARNING: Retrying... error=the file changed on the server while it was downloaded');
    expect(JSON.parse(readFileSync(join(dirname(file), 'manifest.json'), 'utf8'))).toMatchObject({
      remote: { etag: '"two"' },
    });
  });

  it('refuses a server that ignores conditions and sends pieces of another object', async () => {
    let answers = 0;
    server.answer((request) => {
      answers += 1;
      const { 'if-range': _condition, ...headers } = request.headers;
      return serveObject(answers % 2 === 1 ? object : another, { ...request, headers });
    });
    const run = await restore([...inPieces, '--concurrency', '2']);
    expect(run.exitCode).toBe(1);
    expect(run.lines.at(-1)).toBe('WARNING: the file changed on the server while it was downloaded');
    expect(readdirSync(dirname(file))).toEqual([]);
    expect(existsSync(join(work.project, 'a'))).toBe(false);
  });

  it('asks again only for what is missing', async () => {
    let broken = 0;
    server.answer((request) => {
      const isBroken = request.headers.range === 'bytes=3000-3999' && broken === 0;
      if (isBroken) broken += 1;
      return { ...serveObject(object, request), ...(isBroken ? { breakAfter: 300 } : {}) };
    });
    const run = await restore(inPieces);
    expect(run.exitCode).toBe(0);
    expect(unpacked()).toBe(payload.toString('hex'));
    const all = asked(server.received);
    expect(all).toHaveLength(Math.ceil(archive.length / 1000) + 1);
    expect(all.at(-1)).toBe('GET 3300-3999');
  });

  it('gives up when a piece is refused', async () => {
    server.answer((request) =>
      request.headers.range === 'bytes=2000-2999' ? { status: 403 } : serveObject(object, request),
    );
    const run = await restore(inPieces);
    expect(run.exitCode).toBe(1);
    expect(run.lines.at(-1)).toBe('WARNING: received: 403 Forbidden');
    expect(run.lines.filter((line) => line.includes('Retrying'))).toEqual([]);
  });

  it('keeps the three tries', async () => {
    server.answer((request) =>
      request.headers.range === 'bytes=0-999' ? serveObject(object, request) : { status: 503 },
    );
    const run = await restore([...inPieces, '--concurrency', '2']);
    expect(run.exitCode).toBe(1);
    expect(run.slept).toEqual([1000, 1000]);
    expect(run.lines.at(-1)).toBe('WARNING: received: 503 Service Unavailable');
    expect(readdirSync(dirname(file))).toEqual([]);
  });
});

describe('a cache download that broke off', () => {
  const large: StoredObject = {
    content: buildZip([{ name: 'a', content: randomBytes(1_500_000).toString('hex') }]),
    etag: '"large"',
    modified: newer,
  };
  const half = 1_500_000;

  /** Positions the requests began at. */
  function starts(): readonly number[] {
    return server.received.map(({ headers }) => Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0));
  }

  it('goes on where it stopped', async () => {
    let answers = 0;
    server.answer((request) => {
      answers += 1;
      return { ...serveObject(large, request), ...(answers === 1 ? { breakAfter: half } : {}) };
    });
    const run = await restore();
    expect(run.exitCode).toBe(0);
    expect(starts()).toHaveLength(2);
    expect(starts()[1]).toBeGreaterThan(half / 4);
    expect(starts()[1]).toBeLessThanOrEqual(half);
    expect(server.received[1]?.headers['if-range']).toBe('"large"');
    expect(readFileSync(file).equals(large.content)).toBe(true);
    expect(
      run.lines.filter((line) => line.startsWith('WARNING: Retrying... error=the download broke off')),
    ).toHaveLength(1);
  });

  it('begins anew in the same try where the object is another one by then', async () => {
    server.answer(
      (request) => ({ ...serveObject(large, request), breakAfter: half }),
      (request) => serveObject(another, request),
    );
    const run = await restore();
    expect(run.exitCode).toBe(0);
    expect(starts()).toHaveLength(3);
    expect(starts()[2]).toBe(0);
    expect(run.slept).toEqual([1000]);
    expect(readFileSync(file).equals(another.content)).toBe(true);
    expect(statSync(file).mtimeMs).toBe(Date.parse(another.modified));
  });

  it('takes the whole again from a server that knows no parts', async () => {
    const whole = { status: 200, headers: { etag: '"e"' }, body: large.content };
    server.answer({ ...whole, breakAfter: half }, whole);
    const run = await restore();
    expect(run.exitCode).toBe(0);
    expect(starts()).toHaveLength(2);
    expect(readFileSync(file).equals(large.content)).toBe(true);
  });
});

describe('a cache that is there already', () => {
  it('is compared by content where its bytes are known', async () => {
    server.answer((request) => serveObject(object, request));
    await restore();
    const second = await restore();
    expect(second.lines.at(-1)).toBe('cache.zip is up to date');
    expect(server.received.at(-1)?.headers['if-none-match']).toBe('"one"');
    // Older by its time, but other bytes.
    server.answer((request) => serveObject({ ...another, modified: older }, request));
    const third = await restore();
    expect(third.lines.at(-1)).toContain('Downloading cache from');
    expect(readFileSync(file).equals(another.content)).toBe(true);
  });

  it('is not downloaded after the save that uploaded it', async () => {
    work.write('a', 'x');
    server.answer({ status: 200, headers: { etag: '"mine"' } });
    const argv = ['--file', '../cache/key/cache.zip', '--path', 'a', '--url', `${server.url}/obj`];
    await runHelper('cache-archiver', argv, work.project);
    const content = readFileSync(file);
    server.answer((request) =>
      serveObject({ content, etag: '"mine"', modified: 'Wed, 01 Jul 2099 10:00:00 GMT' }, request),
    );
    expect((await restore()).lines.at(-1)).toBe('cache.zip is up to date');
  });

  it('is compared by time where nothing is known of its bytes', async () => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, archive);
    utimesSync(file, Date.parse(newer) / 1000, Date.parse(newer) / 1000);
    server.answer((request) => serveObject({ ...another, modified: older }, request));
    expect((await restore()).lines.at(-1)).toBe('cache.zip is up to date');
    server.answer((request) => serveObject(another, request));
    expect((await restore()).lines.at(-1)).toContain('Downloading cache from');
  });

  it('stays where the store says nothing new, and leftovers of killed commands go', async () => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, archive);
    const [old, young] = ['cache0123456789abcdef', 'archive_0123456789abcdef'].map((name) => join(dirname(file), name));
    for (const path of [old ?? '', young ?? '']) writeFileSync(path, 'half');
    utimesSync(old ?? '', 1_600_000_000, 1_600_000_000);
    server.answer({ status: 403 });
    expect((await restore()).exitCode).toBe(1);
    expect(readFileSync(file).equals(archive)).toBe(true);
    utimesSync(file, 1_600_000_000, 1_600_000_000);
    server.answer((request) => serveObject(another, request));
    expect((await restore()).exitCode).toBe(0);
    expect(existsSync(old ?? '')).toBe(false);
    expect(existsSync(young ?? '')).toBe(true);
  });
});

describe('a cache whose files were written anew', () => {
  const save = (env: Record<string, string> = {}) =>
    runHelper('cache-archiver', ['--file', '../cache/key/cache.zip', '--path', 'd'], work.project, env);
  const put = (name: string, content: string): void => work.write(`d/${name}`, content);

  beforeEach(async () => {
    put('a', 'same size');
    put('sub/b', 'x'.repeat(3_000_000));
    symlinkSync('a', join(work.project, 'd/link'));
    await save();
  });

  /** As if a package manager had written everything again, some time later. */
  function later(): void {
    const time = Date.now() / 1000 + 100;
    for (const name of ['a', 'sub/b', 'sub', '.']) utimesSync(join(work.project, 'd', name), time, time);
  }

  it('is not packed again when their content is the same', async () => {
    const before = statSync(file).ino;
    put('a', 'same size');
    later();
    expect((await save()).lines.at(-1)).toBe('Archive is up to date!');
    expect(statSync(file).ino).toBe(before);
  });

  it.each<[string, () => void]>([
    ['a file has other content of the same size', () => put('a', 'SAME size')],
    ['a large file differs at its end', () => put('sub/b', `${'x'.repeat(2_999_999)}y`)],
    ['a file is new', () => put('c', '')],
    ['a file is gone', () => rmSync(join(work.project, 'd/a'))],
    ['a file is executable', () => chmodSync(join(work.project, 'd/a'), 0o755)],
    [
      'a link leads elsewhere',
      () => {
        rmSync(join(work.project, 'd/link'));
        symlinkSync('b', join(work.project, 'd/link'));
      },
    ],
    [
      'a file became a folder',
      () => {
        rmSync(join(work.project, 'd/a'));
        mkdirSync(join(work.project, 'd/a'));
      },
    ],
  ])('is packed again when %s', async (_what, change) => {
    const before = statSync(file).ino;
    change();
    expect((await save()).lines.at(-1)).toContain('Cache will be stored only locally.');
    expect(statSync(file).ino).not.toBe(before);
  });

  it('is packed again where the archive keeps no checksums', async () => {
    rmSync(file);
    await save({ CACHE_COMPRESSION_FORMAT: 'tarzstd' });
    later();
    expect((await save()).lines.at(-1)).toContain('Cache will be stored only locally.');
  });
});

describe('an unchanged cache', () => {
  const save = () => {
    const argv = ['--file', '../cache/key/cache.zip', '--alternate-file', '../cache/other/cache.zip', '--path', 'a'];
    const urls = ['--url', `${server.url}/obj`, '--check-url', `${server.url}/obj`];
    return runHelper('cache-archiver', [...argv, ...urls], work.project);
  };

  beforeEach(() => {
    work.write('a', 'x');
    utimesSync(join(work.project, 'a'), 1_600_000_000, 1_600_000_000);
  });

  it('is uploaded where the last upload failed, though an older one lies there', async () => {
    server.answer({ status: 403 });
    expect((await save()).exitCode).toBe(1);
    server.answer({ status: 200, headers: { etag: '"old"' } });
    const run = await save();
    expect(run.lines).toContain('Primary cache does not exist remotely, uploading existing archive');
    expect(asked(server.received)).toEqual(['PUT', 'HEAD', 'PUT']);
  });

  it('is uploaded where somebody else stored another one', async () => {
    server.answer({ status: 200, headers: { etag: '"mine"' } });
    await save();
    expect((await save()).lines.at(-1)).toBe('Primary cache already exists remotely, skipping upload');
    server.answer({ status: 200, headers: { etag: '"theirs"' } });
    await save();
    expect(asked(server.received)).toEqual(['PUT', 'HEAD', 'HEAD', 'PUT']);
  });

  it('is uploaded where nobody can tell', async () => {
    server.answer({ status: 200 });
    await save();
    server.answer({ status: 0, breakAfter: 0 }, { status: 200 });
    const run = await save();
    expect(
      run.lines.some((line) =>
        line.startsWith('WARNING: Failed to check primary cache existence via HEAD request, assuming absent error='),
      ),
    ).toBe(true);
    expect(run.exitCode).toBe(0);
  });
});
