import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'vitest';
import { createWorkspace, runHelper, startServer, type TestServer, type Workspace } from '../integration/artifacts/fixture.ts';
import { serveObject, type StoredObject } from '../integration/artifacts/object-answers.ts';
import { buildZip } from '../support/zip-builder.ts';
import { expectGolden } from './golden-file.ts';

/** What the helper commands say, byte for byte: colours, padding and fields are part of what users and tools read. */
const modified = 'Wed, 01 Jul 2026 10:00:00 GMT';
const later = 'Thu, 02 Jul 2026 10:00:00 GMT';
const object: StoredObject = {
  content: buildZip([{ name: 'from-remote', content: 'x'.repeat(3000) }]),
  etag: '"one"',
  modified,
};
const objectPath = 'bucket/with-a-name/project/1/key';

let server: TestServer;
let work: Workspace;
let shown: string;

beforeEach(async () => {
  server = await startServer();
  work = createWorkspace();
  shown = '';
});
afterEach(async () => {
  await server.close();
  work.remove();
});


/** Runs a command and notes what it said. */
async function run(title: string, argv: readonly string[], env: Record<string, string> = {}): Promise<void> {
  const [name = '', ...args] = argv;
  const job = { CI_SERVER_URL: server.url, CI_JOB_TOKEN: 'glcbt-64_abcdefghijklmn', CI_JOB_ID: '42', TMPDIR: work.base };
  const { exitCode, stderr } = await runHelper(name, args, work.project, { ...job, ...env });
  shown += `# ${title}: ${exitCode}\n${readable(stderr)}\n`;
}

function readable(text: string): string {
  return text
    .replaceAll(work.base, '<base>')
    .replaceAll(new URL(server.url).host, '<host>')
    .replaceAll(/correlation_id\u001B\[0;m=[0-9a-f]{32}/g, 'correlation_id\u001B[0;m=<id>')
    .replaceAll('\u001B', '\\e')
    .replaceAll('\n', '$\n');
}

const url = (): string => `${server.url}/${objectPath}?X-Sig=secret`;

describe('the log of', () => {
  it('artifacts-uploader', async () => {
    const upload = (title: string, argv: readonly string[], env: Record<string, string> = {}) =>
      run(title, ['artifacts-uploader', ...argv], env);
    work.write('out/f', 'x');
    server.answer({ status: 201 });
    await upload('stored', ['--path', 'out', '--exclude', '**/nothing', '--exclude', 'out/f*']);
    await upload('of a type', ['--path', 'out', '--artifact-type', 'junit', '--artifact-format', 'zip']);
    await upload('nothing to do', ['--path', 'gone', '--path', '', '--path', '../x', '--path', '[']);
    await upload('no credentials', ['--path', 'out', '--url', ''], { CI_SERVER_URL: '' });
    await upload('no id', ['--path', 'out', '--id', '0']);
    await upload('expansion', ['--path', '$(ls)', '--path', 'out', '--name', '${'], {});
    await upload('level', ['--path', 'out', '--compression-level', 'extreme']);
    await upload('format', ['--path', 'out', '--artifact-format', 'rar']);
    await upload('debug trace', ['--path', 'out', '--ci-debug-trace']);
    const json = { 'content-type': 'application/json' };
    server.answer({ status: 403, headers: json, body: '{"message":"no way"}' });
    await upload('forbidden', ['--path', 'out']);
    server.answer({ status: 413 });
    await upload('too large', ['--path', 'out']);
    server.answer({ status: 400 });
    await upload('refused', ['--path', 'out']);
    server.answer({ status: 307 });
    await upload('lost', ['--path', 'out']);
    server.answer({ status: 429, headers: { 'retry-after': '7' } }, { status: 201 });
    await upload('asked to wait', ['--path', 'out']);
    expectGolden('helper-log/artifacts-uploader.txt', shown.replaceAll(/(date\]\S*=\[)[^\]]*/gi, '$1<date>'));
  });

  it('artifacts-downloader', async () => {
    const archive = buildZip([{ name: 'f', content: 'x' }]);
    const download = (title: string, env: Record<string, string> = {}, argv: readonly string[] = []) =>
      run(title, ['artifacts-downloader', ...argv], env);
    const direct = { FF_USE_DIRECT_DOWNLOAD: 'true' };
    const here = { status: 302, headers: { location: `${server.url}/${objectPath}?sig=secret` } };
    server.answer({ status: 200, body: archive });
    await download('had');
    await download('of two jobs', {}, ['--id', '1', '--token', 'a', '--name', 'build', '--id', '2', '--token', 'b', '--name', 'test: [x]']);
    server.answer(here, { status: 200, body: archive });
    await download('directly', direct);
    const parallel = { ...direct, FF_USE_PARALLEL_ARTIFACT_TRANSFER: 'true' };
    server.answer(here, (request) => serveObject(object, request));
    await download('small, in pieces', parallel);
    server.answer(here, { status: 200, body: archive });
    await download('in pieces that the store does not know', parallel);
    server.answer(here, { status: 403 }, { status: 200, body: archive });
    await download('in pieces that the store refuses', parallel);
    for (const status of [401, 403, 404, 400]) {
      server.answer({ status });
      await download(`answered with ${status}`);
    }
    await download('incomplete', { CI_SERVER_URL: '', CI_JOB_TOKEN: '', CI_JOB_ID: '' });
    expectGolden('helper-log/artifacts-downloader.txt', shown);
  });

  it('cache-extractor', async () => {
    const restore = (title: string, argv: readonly string[] = []) =>
      run(title, ['cache-extractor', '--file', '../cache/key/cache.zip', ...argv]);
    const remote = () => ['--url', url()];
    await run('no file', ['cache-extractor']);
    await restore('nothing there');
    server.answer({ status: 404 });
    await restore('nothing there either', remote());
    server.answer({ status: 403, headers: { 'content-type': 'application/xml' }, body: '<Error><Code>C</Code><Message>m</Message></Error>' });
    await restore('refused', remote());
    server.answer({ status: 500 });
    await restore('broken', remote());
    server.answer((request) => serveObject(object, request));
    await restore('had', remote());
    await restore('up to date', remote());
    rmSync(join(work.base, 'cache'), { recursive: true });
    await restore('in pieces', [...remote(), '--chunk-size', '100000', '--concurrency', '2', '--chunk-size', '1000']);
    rmSync(join(work.base, 'cache'), { recursive: true });
    server.answer({ status: 200, headers: { 'last-modified': modified }, body: object.content });
    await restore('in pieces that the store does not know', [...remote(), '--chunk-size', '10']);
    const alternate = () => [...remote(), '--alternate-url', `${server.url}/${objectPath}-alternate?sig=secret`];
    for (const [primary, other] of [
      [modified, later],
      [later, modified],
      ['', later],
    ]) {
      rmSync(join(work.base, 'cache'), { recursive: true });
      server.answer((request) => {
        const time = request.url.includes('alternate') ? other : primary;
        return time === '' ? { status: 404 } : serveObject({ ...object, modified: time ?? '' }, request);
      });
      await restore(`alternate ${other}, primary ${primary === '' ? 'absent' : primary}`, alternate());
    }
    mkdirSync(join(work.base, 'cache/key'), { recursive: true });
    writeFileSync(join(work.base, 'cache/key/cache.zip'), 'garbage');
    await restore('damaged');
    for (const flag of ['--transfer-buffer-size', '--chunk-size', '--concurrency']) await restore(flag, [flag, '-1']);
    await restore('unknown store', ['--gocloud-url', 'ftp://bucket/name']);
    await restore('no name', ['--gocloud-url', 's3://bucket?region=x']);
    await restore('no env-file', ['--gocloud-url', 's3://bucket/name', '--env-file', '../gone']);
    expectGolden('helper-log/cache-extractor.txt', shown);
  });

  it('cache-archiver', async () => {
    const save = (title: string, argv: readonly string[], env: Record<string, string> = {}) =>
      run(title, ['cache-archiver', '--file', '../cache/key/cache.zip', ...argv], env);
    work.write('d/a', 'x');
    for (const path of ['d/a', 'd']) utimesSync(join(work.project, path), 1_600_000_000, 1_600_000_000);
    await run('no file', ['cache-archiver']);
    await save('nothing to do', ['--path', 'gone']);
    await save('only here', ['--path', 'd']);
    await save('unchanged', ['--path', 'd']);
    const remote = ['--path', 'd', '--url', url(), '--check-url', url(), '--alternate-file', '../cache/other/cache.zip'];
    server.answer({ status: 404 }, { status: 200, headers: { etag: '"mine"' } });
    await save('not there yet', remote);
    await save('there', remote);
    server.answer({ status: 0, breakAfter: 0 }, { status: 200 });
    await save('nobody can tell', remote);
    server.answer({ status: 404 }, { status: 503 });
    await save('refused for now', remote);
    work.write('d/b', 'y'.repeat(5000));
    await save('too big', [...remote, '--max-uploaded-archive-size', '10']);
    rmSync(join(work.base, 'cache/key'), { recursive: true });
    await run('under another key', ['cache-archiver', '--file', '../cache/other/cache.zip', '--path', 'd']);
    await save('under this key', ['--path', 'd', '--alternate-file', '../cache/other/cache.zip']);
    await save('bad metadata', ['--path', 'd/*', '--metadata', '{']);
    await save('bad level', ['--path', '*'], { CACHE_COMPRESSION_LEVEL: 'extreme' });
    expectGolden('helper-log/cache-archiver.txt', shown.replaceAll(/\(\d+\) is too big/g, '(<size>) is too big'));
  });

  it('cache-init', async () => {
    await run('no path', ['cache-init']);
    mkdirSync(join(work.base, 'c'));
    await run('a path', ['cache-init', join(work.base, 'c')]);
    expectGolden('helper-log/cache-init.txt', shown);
  });
});
