import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AbortReason } from '../../../src/lib/abort.ts';
import { createTestAuthority } from '../../support/certificates.ts';
import { needs } from '../../support/needs.ts';
import { createWorkspace, runHelper, startServer, type TestServer, type Workspace } from './fixture.ts';

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

function upload(argv: readonly string[], env: Record<string, string> = {}, signal?: AbortSignal) {
  const job = { CI_SERVER_URL: server.url, CI_JOB_TOKEN: 'glcbt-64_abcdefghijklmn', CI_JOB_ID: '42', ...env };
  return runHelper('artifacts-uploader', argv, work.project, job, signal);
}

/** Head and content of the one part of a form. */
function part(body: Buffer, contentType: string): { readonly head: string; readonly content: Buffer } {
  const boundary = /boundary=(.+)$/.exec(contentType)?.[1] ?? '';
  const end = `\r\n--${boundary}--\r\n`;
  expect(body.subarray(-end.length).toString()).toBe(end);
  const split = body.indexOf('\r\n\r\n');
  const head = body.subarray(0, split).toString();
  expect(head.startsWith(`--${boundary}\r\n`)).toBe(true);
  return { head: head.slice(boundary.length + 4), content: body.subarray(split + 4, -end.length) };
}

describe('artifacts-uploader', () => {
  it('sends one form part, chunked', async () => {
    work.write('f', 'hello');
    server.answer({ status: 201 });
    const run = await upload([
      '--path',
      'f',
      '--artifact-format',
      'raw',
      '--artifact-type',
      'a type',
      '--expire-in',
      '1 day',
      '--name',
      'x/y"z',
    ]);
    const [request] = server.received;
    expect(request?.method).toBe('POST');
    expect(request?.url).toBe('/api/v4/jobs/42/artifacts?artifact_format=raw&artifact_type=a+type&expire_in=1+day');
    expect(request?.headers['job-token']).toBe('glcbt-64_abcdefghijklmn');
    expect(request?.headers['transfer-encoding']).toBe('chunked');
    expect(request?.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
    expect(request?.headers['user-agent']).toMatch(/^gitlab-runner 19\.4\.0 \(/);
    const { head, content } = part(request?.body ?? Buffer.alloc(0), request?.headers['content-type'] ?? '');
    expect(head).toBe(
      'Content-Disposition: form-data; name="file"; filename="y\\"z"\r\nContent-Type: application/octet-stream',
    );
    expect(content.toString()).toBe('hello');
    expect(run.exitCode).toBe(0);
    expect(run.lines[0]).toBe('f: found 1 matching artifact files and directories');
    expect(run.lines[1]).toMatch(
      /^Uploading artifacts as "a type" to coordinator\.\.\. 201 Created correlation_id=[0-9a-f]{32} id=42 status=201 Created token=64_abcdef$/,
    );
  });

  it.each([
    ['', 'artifacts.zip'],
    ['zip', 'artifacts.zip'],
    ['gzip', 'artifacts.gz'],
    ['raw', 'artifacts'],
  ])('names the archive of format "%s" %s', async (format, name) => {
    work.write('f', 'content');
    server.answer({ status: 201 });
    await upload(['--path', 'f', '--artifact-format', format]);
    const [request] = server.received;
    const { head, content } = part(request?.body ?? Buffer.alloc(0), request?.headers['content-type'] ?? '');
    expect(head).toContain(`filename="${name}"`);
    if (format === 'gzip') expect(gunzipSync(content).toString()).toBe('content');
    if (format.endsWith('zip') && format !== 'gzip')
      expect(content.subarray(0, 4).toString('latin1')).toBe('PK\x03\x04');
  });

  it('strips /ci and slashes off the URL', async () => {
    work.write('f');
    server.answer({ status: 201 });
    await upload(['--path', 'f', '--url', `${server.url}/gitlab/ci//`]);
    expect(server.received[0]?.url).toBe('/gitlab/api/v4/jobs/42/artifacts');
  });

  it('expands variables in name, paths and excludes', async () => {
    work.write('out-9/a');
    work.write('out-9/b');
    server.answer({ status: 201 });
    const argv = ['--path', 'out-$N', '--exclude', '**/${WHAT:-b}', '--name', '$N-x', '--path', '$(ls)'];
    const run = await upload(argv, { N: '9' });
    expect(server.received[0]?.body.toString('latin1')).toContain('filename="9-x.zip"');
    expect(run.lines).toContain('WARNING: invalid path "$(ls)": command substitution is not supported');
    expect(run.lines).toContain('**/b: excluded 1 files');
  });

  it('does nothing without files', async () => {
    const run = await upload(['--path', 'nothing']);
    expect(run.exitCode).toBe(0);
    expect(run.lines.at(-1)).toBe('ERROR: No files to upload');
    expect(server.received).toEqual([]);
  });

  it('needs credentials', async () => {
    expect((await upload(['--path', 'f', '--token', ''], { CI_JOB_TOKEN: '' })).lines).toEqual([
      'FATAL: Missing runner credentials',
    ]);
    expect((await upload(['--path', 'f', '--id', '0'])).lines).toEqual(['FATAL: Missing build ID']);
  });

  it.each([
    [403, '403 Forbidden', 'permission denied', 1],
    [413, '413 Request Entity Too Large', 'too large', 1],
    [400, '400 Bad Request', 'upload failed with no response from coordinator', 3],
    // Each try of the command is five requests of the client.
    [500, '500 Internal Server Error', 'upload failed with no response from coordinator', 15],
    [503, '503 Service Unavailable', 'service unavailable', 30],
  ])('maps %i', async (status, _text, fatal, requests) => {
    work.write('f');
    server.answer({ status });
    const run = await upload(['--path', 'f']);
    expect(run.exitCode).toBe(1);
    expect(run.lines.at(-1)).toBe(`FATAL: ${fatal}`);
    expect(server.received).toHaveLength(requests);
    const bodies = server.received.map(({ body }) => body.length);
    expect(Math.min(...bodies)).toBeGreaterThan(0);
    expect(new Set(bodies).size).toBe(1);
    const waits = run.slept.filter((ms) => ms >= 1000);
    expect(waits).toEqual({ 3: [1000, 2000], 15: [1000, 2000], 30: [1000, 2000, 4000, 5000, 5000] }[requests] ?? []);
  });

  it('shows what the server says', async () => {
    work.write('f');
    server.answer({ status: 403, headers: { 'content-type': 'application/json' }, body: '{"message":"no way"}' });
    const run = await upload(['--path', 'f']);
    expect(run.lines.at(-2)).toContain(
      `ERROR: Uploading artifacts to coordinator... POST ${server.url}/api/v4/jobs/42/artifacts: 403 Forbidden (no way)`,
    );
  });

  it('waits as long as the server asks', async () => {
    work.write('f');
    server.answer({ status: 429, headers: { 'retry-after': '7' } }, { status: 201 });
    const run = await upload(['--path', 'f']);
    expect(run.exitCode).toBe(0);
    expect(run.slept).toEqual([7000]);
  });

  it('goes where a 307 sends it, with token and a new body', async () => {
    const other = await startServer();
    other.answer({ status: 201 });
    work.write('f', 'hello');
    server.answer({ status: 307, headers: { location: `${other.url}/elsewhere/api` } });
    const run = await upload(['--path', 'f', '--artifact-format', 'raw']);
    await other.close();
    expect(run.exitCode).toBe(0);
    expect(other.received[0]?.headers['job-token']).toBe('glcbt-64_abcdefghijklmn');
    expect(other.received[0]?.url).toBe('/elsewhere/api');
    expect(other.received[0]?.body.equals(server.received[0]?.body ?? Buffer.alloc(0))).toBe(true);
  });

  it('does not go in circles, nor nowhere', async () => {
    work.write('f');
    server.answer({ status: 307, headers: { location: '/again' } });
    const run = await upload(['--path', 'f']);
    expect(run.lines.at(-1)).toBe('FATAL: stopped after 10 redirects');
    expect(server.received).toHaveLength(33);
    server.received.length = 0;
    server.answer({ status: 307 });
    const lost = await upload(['--path', 'f']);
    expect(lost.lines.some((line) => line.includes('307 Temporary Redirect empty location'))).toBe(true);
    expect(server.received).toHaveLength(3);
  });

  it('tries again when the connection breaks', async () => {
    work.write('f');
    server.answer({ status: 0, breakAfter: 0 }, { status: 201 });
    const run = await upload(['--path', 'f']);
    expect(run.exitCode).toBe(0);
    expect(run.lines.some((line) => line.startsWith('ERROR: Uploading artifacts to coordinator... error'))).toBe(true);
    expect(run.lines.some((line) => line.startsWith('WARNING: Retrying... context=artifacts-uploader error='))).toBe(
      true,
    );
  });

  it('takes an answer that comes before the body is sent', async () => {
    work.write('big', Buffer.alloc(30_000_000, 'x'));
    server.answer({ status: 413, early: true });
    const run = await upload(['--path', 'big', '--compression-level', 'fastest']);
    expect(run.lines.at(-1)).toBe('FATAL: too large');
    expect(server.received).toHaveLength(1);
  });

  it.each(['--timeout', '--response-header-timeout'])(
    'tries again when the answer takes longer than %s',
    async (flag) => {
      work.write('f');
      server.answer({ status: 201, isSilent: true }, { status: 201 });
      const run = await upload(['--path', 'f', flag, '200ms']);
      expect(run.exitCode).toBe(0);
      expect(run.lines.some((line) => line.startsWith('WARNING: Retrying...') && line.includes('timed out'))).toBe(
        true,
      );
    },
  );

  it('says why an archive cannot be made, and tries again', async () => {
    work.write('a');
    work.write('b');
    server.answer({ status: 201 });
    const run = await upload(['--path', '*', '--artifact-format', 'raw']);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain('failed to copy content to form: only one file can be sent as raw');
    expect(run.slept).toEqual([1000, 2000]);
  });

  it('refuses an unknown format', async () => {
    work.write('a');
    const run = await upload(['--path', 'a', '--artifact-format', 'rar']);
    expect(run.lines.at(-1)).toBe('FATAL: "rar" format: unsupported archive format');
  });

  it('shows progress', async () => {
    work.write('a', Buffer.alloc(2_000_000));
    server.answer({ status: 201 });
    const run = await upload(['--path', 'a', '--artifact-format', 'raw', '--transfer-meter-frequency', '1s']);
    expect(run.stdout).toMatch(/^\rUploading artifacts 0 B \(0 B\/s\) {16}/);
    expect(run.stdout).toMatch(/\rUploading artifacts 2\.00 MB \([0-9.]+ [KMG]?B\/s\) {16}\n$/);
  });

  it('shows the answer to whoever debugs', async () => {
    work.write('a');
    server.answer({ status: 201, headers: { 'x-request-id': 'theirs', 'x-some': 'thing' }, body: 'b'.repeat(600) });
    const run = await upload(['--path', 'a'], { CI_DEBUG_TRACE: 'true' });
    const line = run.lines.find((text) => text.startsWith('WARNING: received response'));
    expect(line).toContain(`body=${'b'.repeat(512)}...`);
    expect(line).toContain('header[X-Some]=[thing]');
    expect(run.lines.at(-1)).toContain('correlation_id=theirs');
  });

  it('stops when it is told to', async () => {
    work.write('a');
    const controller = new AbortController();
    server.answer(() => {
      controller.abort(new AbortReason('canceled', 'the job was cancelled'));
      return { status: 503 };
    });
    const run = await upload(['--path', 'a'], {}, controller.signal);
    expect(run.exitCode).toBe(1);
    expect(run.lines.at(-1)).toBe('FATAL: stopped: the job was cancelled');
    expect(server.received).toHaveLength(1);
  });

  it('writes a provenance statement and sends it along', async () => {
    work.write('out/f', 'content');
    server.answer({ status: 201 });
    const settings = {
      path: 'out',
      name: 'pkg',
      'artifact-format': 'zip',
      'runner-id': '7',
      'repo-url': 'https://g.test/p',
      'repo-digest': 'abc',
      'job-name': 'build',
      'executor-name': 'docker',
      'runner-name': 'r',
      'schema-version': 'v2',
      'started-at': '2026-01-02T03:04:05+01:00',
      'ended-at': '2026-01-02T03:05:05Z',
    };
    const argv = Object.entries(settings).flatMap(([flag, value]) => [`--${flag}`, value]);
    const parameters = ['--metadata-parameter', 'CI', '--metadata-parameter', 'FOO'];
    const run = await upload(['--generate-artifacts-metadata', ...argv, ...parameters]);
    expect(run.exitCode).toBe(0);
    expect(run.lines).toContain('WARNING: Unknown SLSA provenance version v2, defaulting to v1');
    const text = readFileSync(join(work.project, 'pkg-metadata.json'), 'utf8');
    expect(text.split('\n')[1]).toBe(' "_type": "https://in-toto.io/Statement/v0.1",');
    expect(JSON.parse(text)).toMatchObject({
      subject: [
        { name: 'out/f', digest: { sha256: 'ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73' } },
      ],
      predicate: {
        buildDefinition: {
          externalParameters: { CI: '', FOO: '', entryPoint: 'build', source: 'https://g.test/p' },
          internalParameters: { job: '42', name: 'r', executor: 'docker' },
        },
        runDetails: {
          builder: { id: 'https://g.test/p/-/runners/7' },
          metadata: { invocationId: '42', startedOn: '2026-01-02T02:04:05Z', finishedOn: '2026-01-02T03:05:05Z' },
        },
      },
    });
    expect(server.received[0]?.body.includes('pkg-metadata.json')).toBe(true);
  });

  it('goes on without a CA file that cannot be read, and says so', async () => {
    work.write('f');
    writeFileSync(join(work.base, 'ca.crt'), 'no certificate');
    server.answer({ status: 201 });
    const run = await upload(['--path', 'f'], { CI_SERVER_TLS_CA_FILE: join(work.base, 'ca.crt') });
    expect(run.exitCode).toBe(0);
    expect(run.lines.some((line) => line.startsWith('ERROR: The CA file'))).toBe(true);
  });

  it.skipIf(!needs('openssl'))('trusts the CA file it is given and shows its own certificate', async () => {
    work.write('f');
    const authority = createTestAuthority(work.base, 'ca');
    const [pair, own] = [authority.issue('server'), authority.issue('client')];
    const read = (path: string): string => readFileSync(path, 'utf8');
    const certificates = { cert: read(pair.certFile), key: read(pair.keyFile), ca: read(authority.certFile) };
    const secure = await startServer({ ...certificates, requestCert: true });
    secure.answer({ status: 201 });
    try {
      const refused = await upload(['--path', 'f', '--url', secure.url]);
      expect(refused.lines.at(-1)).toMatch(/^FATAL: .*certificate/);
      const mine = { CI_SERVER_TLS_CERT_FILE: own.certFile, CI_SERVER_TLS_KEY_FILE: own.keyFile };
      const run = await upload(['--path', 'f', '--url', secure.url, '--tls-ca-file', authority.certFile], mine);
      expect(run.exitCode).toBe(0);
      expect(secure.received).toHaveLength(1);
    } finally {
      await secure.close();
    }
  });

  it('goes through the proxy of the environment', async () => {
    work.write('f');
    server.answer({ status: 201 });
    const run = await upload(['--path', 'f', '--url', 'http://gitlab.test/'], { http_proxy: server.url });
    expect(run.exitCode).toBe(0);
    expect(server.received[0]?.url).toBe('http://gitlab.test/api/v4/jobs/42/artifacts');
  });
});
