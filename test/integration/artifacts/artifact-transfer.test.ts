import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildZip } from '../../support/zip-builder.ts';
import { createWorkspace, type Received, runHelper, startServer, type TestServer, type Workspace } from './fixture.ts';
import { asked, type StoredObject, serveObject } from './object-answers.ts';

const modified = 'Wed, 01 Jul 2026 10:00:00 GMT';
const chunk = 16 * 1024 * 1024;
const text = randomBytes(1_500_000).toString('hex');
const small: StoredObject = { content: buildZip([{ name: 'f', content: text }]), etag: '"small"', modified };
const another: StoredObject = { content: buildZip([{ name: 'f', content: 'other' }]), etag: '"other"', modified };
const large: StoredObject = {
  content: buildZip([{ name: 'f', content: randomBytes(chunk + 1_000_000).toString('hex') }]),
  etag: '"large"',
  modified,
};
const largePieces = [
  `GET 0-${chunk - 1}`,
  `GET ${chunk}-${2 * chunk - 1}`,
  `GET ${2 * chunk}-${large.content.length - 1}`,
];

let server: TestServer;
let store: TestServer;
let work: Workspace;

beforeEach(async () => {
  server = await startServer();
  store = await startServer();
  work = createWorkspace();
  server.answer({ status: 302, headers: { location: `${store.url}/bucket/artifacts.zip?sig=x` } });
});
afterEach(async () => {
  await server.close();
  await store.close();
  work.remove();
});

function download(env: Record<string, string> = {}) {
  const job = {
    CI_SERVER_URL: server.url,
    CI_JOB_TOKEN: 'glcbt-64_abcdefghijklmn',
    CI_JOB_ID: '42',
    TMPDIR: work.base,
  };
  return runHelper('artifacts-downloader', [], work.project, { ...job, ...env });
}

const direct = { FF_USE_DIRECT_DOWNLOAD: 'true' };
const parallel = { ...direct, FF_USE_PARALLEL_ARTIFACT_TRANSFER: 'true' };

function notices(run: { readonly lines: readonly string[] }): readonly string[] {
  return run.lines
    .filter((line) => line.startsWith('Artifact download: '))
    .map((line) => line.replace('Artifact download: ', '').replace(/ (correlation_id|id)=.*$/, ''));
}

function starts(received: readonly Received[]): readonly number[] {
  return received.map(({ headers }) => Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0));
}

describe('a parallel download of artifacts', () => {
  it('gets large ones in pieces, without the token', async () => {
    store.answer((request) => serveObject(large, request));
    const run = await download(parallel);
    expect(run.exitCode).toBe(0);
    expect([...asked(store.received)].sort()).toEqual([...largePieces].sort());
    expect(asked(store.received)[0]).toBe(largePieces[0]);
    expect(store.received.every(({ headers }) => headers['job-token'] === undefined)).toBe(true);
    expect(server.received).toHaveLength(1);
    expect(notices(run)).toEqual(['parallel, 16 streams, 16 MiB chunk size']);
    expect(run.stderr).toContain(`url`);
    expect(run.stderr).not.toContain('sig=x');
    expect(readdirSync(work.base)).toEqual(['project']);
    expect(existsSync(join(work.project, 'f'))).toBe(true);
  });

  it('goes on in a single stream where a piece fails, for what is missing', async () => {
    let failures = 0;
    store.answer((request) => {
      const fails = request.headers.range === `bytes=${chunk}-${2 * chunk - 1}` && failures === 0;
      if (fails) failures += 1;
      return { ...serveObject(large, request), ...(fails ? { breakAfter: 1_000_000 } : {}) };
    });
    const run = await download(parallel);
    expect(run.exitCode).toBe(0);
    expect(notices(run)).toEqual([
      'parallel, 16 streams, 16 MiB chunk size',
      'parallel failed, using single download stream',
    ]);
    expect(store.received).toHaveLength(4);
    expect(starts(store.received)[3]).toBeGreaterThanOrEqual(chunk);
    expect(server.received).toHaveLength(1);
  });

  it.each<[string, Parameters<TestServer['answer']>, string]>([
    [
      'small artifacts',
      [(request: Received) => serveObject(small, request)],
      'file size <= 16 MiB (chunk size), using single download stream',
    ],
    [
      'a store that knows no parts',
      [{ status: 200, body: small.content }],
      'remote host does not support Range, using single download stream',
    ],
    [
      'a store that does not tell the size',
      [
        { status: 206, headers: { 'content-range': `bytes 0-${chunk - 1}/*` }, body: 'part' },
        { status: 200, body: small.content },
      ],
      'unknown size (no Content-Range total), using single download stream',
    ],
    [
      'a store that refuses parts',
      [{ status: 403 }, { status: 200, body: small.content }],
      'cannot probe size (Range request failed), using single download stream',
    ],
  ])('uses one stream for %s', async (_what, answers, notice) => {
    store.answer(...answers);
    const run = await download(parallel);
    expect(run.exitCode).toBe(0);
    expect(notices(run)).toEqual([notice]);
    expect(store.received).toHaveLength(answers.length);
    expect(readFileSync(join(work.project, 'f'), 'utf8')).toBe(text);
  });

  it('is off by default', async () => {
    store.answer((request) => serveObject(large, request));
    const run = await download(direct);
    expect(run.exitCode).toBe(0);
    expect(asked(store.received)).toEqual(['GET']);
    expect(notices(run)).toEqual(['using single download stream']);
  });
});

describe('a download of artifacts that broke off', () => {
  it('goes on where it stopped, at the coordinator', async () => {
    let answers = 0;
    server.answer((request) => {
      answers += 1;
      return { ...serveObject(small, request), ...(answers === 1 ? { breakAfter: 1_500_000 } : {}) };
    });
    const run = await download();
    expect(run.exitCode).toBe(0);
    expect(starts(server.received)[1]).toBeGreaterThan(300_000);
    expect(server.received[1]?.headers['if-range']).toBe('"small"');
    expect(run.slept).toEqual([1000]);
    expect(readFileSync(join(work.project, 'f'), 'utf8')).toBe(text);
  });

  it('goes on at the store, through the coordinator', async () => {
    let answers = 0;
    store.answer((request) => {
      answers += 1;
      return { ...serveObject(small, request), ...(answers === 1 ? { breakAfter: 1_500_000 } : {}) };
    });
    const run = await download();
    expect(run.exitCode).toBe(0);
    expect(server.received).toHaveLength(2);
    expect(starts(store.received)[1]).toBeGreaterThan(300_000);
    expect(readFileSync(join(work.project, 'f'), 'utf8')).toBe(text);
  });

  it('begins anew where the archive is another one by then', async () => {
    server.answer(
      (request) => ({ ...serveObject(small, request), breakAfter: 1_500_000 }),
      (request) => serveObject(another, request),
    );
    const run = await download();
    expect(run.exitCode).toBe(0);
    expect(starts(server.received)).toEqual([0, expect.any(Number), 0]);
    expect(readFileSync(join(work.project, 'f'), 'utf8')).toBe('other');
  });

  it('does not add to something shorter', async () => {
    server.answer(
      (request) => ({ ...serveObject(small, request), breakAfter: 1_500_000 }),
      { status: 416 },
      (request) => serveObject(another, request),
    );
    expect((await download()).exitCode).toBe(0);
    expect(readFileSync(join(work.project, 'f'), 'utf8')).toBe('other');
  });

  it('leaves the project alone when it cannot be had', async () => {
    work.write('f', 'mine');
    server.answer((request) => ({ ...serveObject(small, request), breakAfter: 200_000 }));
    const run = await download();
    expect(run.exitCode).toBe(1);
    expect(run.lines.at(-1)).toBe('FATAL: invalid argument');
    expect(server.received).toHaveLength(3);
    expect(readFileSync(join(work.project, 'f'), 'utf8')).toBe('mine');
    expect(readdirSync(work.base)).toEqual(['project']);
  });
});

describe('artifacts of several jobs', () => {
  const ids = ['1', '2', '3', '4', '5', '6'];
  const jobs = (chosen: readonly string[]) =>
    chosen.flatMap((id) => ['--id', id, '--token', `glcbt-token-${id}`, '--name', `job ${id}`]);
  const get = (argv: readonly string[], env: Record<string, string> = {}) =>
    runHelper('artifacts-downloader', argv, work.project, { CI_SERVER_URL: server.url, TMPDIR: work.base, ...env });
  const idOf = (request: Received): string => /jobs\/(\d+)\//.exec(request.url)?.[1] ?? '';
  /** A file of each job's own, and one that all have. */
  const archiveOf = (id: string): Buffer =>
    buildZip([
      { name: `of-${id}`, content: id },
      { name: 'shared', content: id },
    ]);

  it('are asked for at the same time, and unpacked in order', async () => {
    let started = 0;
    const all = Promise.withResolvers<void>();
    server.answer((request) => {
      started += 1;
      if (started === 4) all.resolve();
      return { status: 200, body: archiveOf(idOf(request)), after: started <= 4 ? all.promise : undefined };
    });
    const run = await get(jobs(ids));
    expect(run.exitCode).toBe(0);
    expect(readFileSync(join(work.project, 'shared'), 'utf8')).toBe('6');
    for (const id of ids) expect(readFileSync(join(work.project, `of-${id}`), 'utf8')).toBe(id);
    expect(run.lines).toEqual(
      ids.flatMap((id) => [
        `Downloading artifacts for job ${id} (${id})...`,
        expect.stringContaining(`Downloading artifacts from coordinator... ok`),
      ]),
    );
    expect(new Set(server.received.map(({ headers }) => headers['job-token']))).toEqual(
      new Set(ids.map((id) => `glcbt-token-${id}`)),
    );
    expect(run.stderr).toContain('\u001B[32;1mDownloading artifacts for job 1 (1)...\u001B[0;m\n');
    expect(readdirSync(work.base)).toEqual(['project']);
  });

  it('end at the first that fails, in order; what came before it is there', async () => {
    server.answer((request) =>
      idOf(request) === '2' ? { status: 404 } : { status: 200, body: archiveOf(idOf(request)) },
    );
    const run = await get(jobs(ids));
    expect(run.exitCode).toBe(1);
    expect(run.lines.at(-1)).toBe('FATAL: file does not exist');
    expect(run.lines.filter((line) => line.startsWith('Downloading artifacts for'))).toEqual([
      'Downloading artifacts for job 1 (1)...',
      'Downloading artifacts for job 2 (2)...',
    ]);
    expect(readdirSync(work.project).sort()).toEqual(['of-1', 'shared']);
    expect(readdirSync(work.base)).toEqual(['project']);
  });

  it('need a token each', async () => {
    const run = await get(['--id', '1', '--id', '2', '--token', 't']);
    expect(run.exitCode).toBe(1);
    expect(run.lines.at(-1)).toBe('FATAL: Incomplete arguments: 2 × --id, 1 × --token, 0 × --name');
    expect(server.received).toEqual([]);
  });
});
