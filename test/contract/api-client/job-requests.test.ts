import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { featureNames } from '../../../src/gitlab/runner-info.ts';
import { AbortReason } from '../../../src/lib/abort.ts';
import { type ScriptedServer, sendJson, sendStatus, startScriptedServer } from '../../support/scripted-server.ts';
import { clientFor, info, minimalJob, never, systemId } from './client-fixture.ts';

let server: ScriptedServer;
beforeEach(async () => {
  server = await startScriptedServer((_request, response) => sendStatus(response, 204));
});
afterEach(() => server.close());

const request = { info, systemId, longPoll: true };

describe('a job request', () => {
  it('says who asks', async () => {
    const { client } = clientFor(`${server.url}/sub/path/`);
    await client.requestJob(request, never);
    const [seen] = server.seen;
    expect(seen?.path).toBe('/sub/path/api/v4/jobs/request');
    expect(seen?.headers).toMatchObject({
      'user-agent': 'gitlab-runner 19.4.0 (19-4-stable; node24.0.0; linux/amd64)',
      'content-type': 'application/json',
      accept: 'application/json',
      'runner-token': 'glrt-t1_runnertoken',
      'accept-encoding': 'gzip',
    });
    expect(seen?.headers['user-agent']).toMatch(/^\S+ .+ \(.+; .+; .+\/.+\)$/);
    expect(seen?.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
    const body = JSON.parse(seen?.body ?? '') as Record<string, Record<string, unknown>>;
    expect(body).toMatchObject({ token: 'glrt-t1_runnertoken', system_id: systemId });
    expect(body).not.toHaveProperty('last_update');
    expect(Object.keys(body['info']?.['features'] ?? {})).toEqual(featureNames);
    expect(featureNames).toHaveLength(31);
    expect(body['info']).toMatchObject({
      name: 'gitlab-runner',
      version: '19.4.0',
      executor: 'shell',
      shell: 'bash',
      config: { gpus: '' },
      features: { variables: true, image: false, cache: true, two_phase_job_commit: true, terminal: false },
    });
  });

  it('strips /ci from the URL', async () => {
    await clientFor(`${server.url}/ci/`).client.requestJob(request, never);
    expect(server.seen[0]?.path).toBe('/api/v4/jobs/request');
  });

  it('hands out a job with its correlation id', async () => {
    server.answer((_request, response) => sendJson(response, 201, minimalJob(), { 'X-Request-Id': 'from-server' }));
    const { client, lines } = clientFor(server.url);
    const result = await client.requestJob(request, never);
    expect(result).toMatchObject({ kind: 'job', correlationId: 'from-server', pushedBack: false });
    expect(result.kind === 'job' && result.payload.steps[0]?.script).toEqual(['echo hi']);
    expect(result.kind === 'job' && result.tls).toEqual({ caChain: '', certificate: '', privateKey: '' });
    expect(lines).toContainEqual({
      level: 'info',
      message: 'Checking for jobs... received',
      fields: { runner: 'runnertok', job: 1, repo_url: 'http://host.test/p.git', correlation_id: 'from-server' },
    });
  });

  it('reads a compressed answer', async () => {
    server.answer((_request, response) => {
      response.writeHead(201, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Encoding': 'gzip' });
      response.end(gzipSync(JSON.stringify(minimalJob({ id: 77 }))));
    });
    const result = await clientFor(server.url).client.requestJob(request, never);
    expect(result.kind === 'job' && result.payload.id).toBe(77);
  });

  it('echoes the last update per client, and not when it must not be held', async () => {
    let count = 0;
    server.answer((_request, response) => {
      count += 1;
      sendStatus(response, 204, { 'X-GitLab-Last-Update': `update-${count}` });
    });
    const { client } = clientFor(server.url);
    await client.requestJob(request, never);
    await client.requestJob(request, never);
    await client.requestJob({ ...request, longPoll: false }, never);
    const sent = server.seen.map((seen) => (JSON.parse(seen.body) as { last_update?: string }).last_update);
    expect(sent).toEqual([undefined, 'update-1', undefined]);
  });

  it.each([
    [204, 'none', 'debug', 'Checking for jobs... nothing'],
    [403, 'forbidden', 'error', 'Checking for jobs... forbidden'],
    [401, 'failed', 'warn', 'Checking for jobs... failed'],
    [404, 'failed', 'warn', 'Checking for jobs... failed'],
    [409, 'failed', 'warn', 'Checking for jobs... failed'],
    [501, 'failed', 'warn', 'Checking for jobs... failed'],
    [505, 'failed', 'warn', 'Checking for jobs... failed'],
    [200, 'failed', 'warn', 'Checking for jobs... failed'],
  ])('status %d means %s and is not repeated', async (status, kind, level, message) => {
    server.answer((_request, response) => sendStatus(response, status));
    const { client, lines, waits } = clientFor(server.url);
    expect(await client.requestJob(request, never)).toMatchObject({ kind, pushedBack: false });
    expect(lines).toContainEqual(expect.objectContaining({ level, message }));
    expect(server.seen).toHaveLength(1);
    expect(waits).toEqual([]);
  });

  it('says what the server said', async () => {
    server.answer((_request, response) => sendJson(response, 400, { message: { tags: ['are bad', 'are many'] } }));
    const { client } = clientFor(server.url);
    expect(await client.requestJob(request, never)).toMatchObject({
      kind: 'failed',
      message: `POST ${server.url}/api/v4/jobs/request: 400 Bad Request (tags: are bad; are many)`,
    });
  });

  it('is repeated four times while the server is overloaded, with growing waits and the same request id', async () => {
    server.answer((_request, response) => {
      if (server.seen.length < 5) sendStatus(response, [429, 500, 502, 504][server.seen.length - 1] ?? 500);
      else sendJson(response, 201, minimalJob());
    });
    const { client, waits } = clientFor(server.url);
    expect(await client.requestJob(request, never)).toMatchObject({ kind: 'job', pushedBack: true });
    expect(new Set(server.seen.map((seen) => seen.headers['x-request-id'])).size).toBe(1);
    expect(waits).toHaveLength(4);
    for (const [index, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(100);
      expect(wait).toBeLessThanOrEqual(100 * 2 ** index);
    }
  });

  it('is unavailable after five answers 503', async () => {
    server.answer((_request, response) => sendStatus(response, 503));
    const { client, lines } = clientFor(server.url);
    expect(await client.requestJob(request, never)).toMatchObject({ kind: 'unavailable', pushedBack: true });
    expect(server.seen).toHaveLength(5);
    expect(lines.at(-1)?.message).toBe('Checking for jobs... GitLab instance currently unavailable');
  });

  it('waits as long as the server asks', async () => {
    const reset = new Date(Math.ceil(Date.now() / 1000) * 1000 + 2000);
    server.answer((_request, response) => {
      if (server.seen.length === 1) sendStatus(response, 429, { 'Retry-After': '2' });
      else if (server.seen.length === 2) sendStatus(response, 503, { 'RateLimit-ResetTime': reset.toUTCString() });
      else if (server.seen.length === 3) sendStatus(response, 429, { 'Retry-After': 'soon' });
      else sendStatus(response, 204);
    });
    const { client, waits, lines } = clientFor(server.url);
    expect(await client.requestJob(request, never)).toMatchObject({ kind: 'none', pushedBack: true });
    expect(waits[0]).toBe(2000);
    expect(waits[1]).toBeGreaterThan(1000);
    expect(waits[1]).toBeLessThanOrEqual(3000);
    expect(waits[2]).toBeLessThanOrEqual(400);
    expect(lines.map((line) => line.message)).toContain("Couldn't parse retry after header");
  });

  it('leaves a long wait to the caller, so that no slot is held for it', async () => {
    server.answer((_request, response) => sendStatus(response, 429, { 'Retry-After': '600' }));
    const { client, waits } = clientFor(server.url);
    expect(await client.requestJob(request, never)).toMatchObject({ kind: 'failed', retryAfterMs: 600_000 });
    expect(waits).toEqual([]);
  });

  it('fails when the connection breaks, without repeating', async () => {
    server.answer((seen) => seen.reset());
    const { client } = clientFor(server.url);
    expect(await client.requestJob(request, never)).toMatchObject({ kind: 'failed' });
    expect(server.seen).toHaveLength(1);
  });

  it('fails when nobody listens', async () => {
    await server.close();
    const result = await clientFor(server.url).client.requestJob(request, never);
    expect(result).toMatchObject({ kind: 'failed', message: expect.stringContaining('ECONNREFUSED') as string });
    server = await startScriptedServer(() => {});
  });

  it('survives a kept connection that the server closed meanwhile', async () => {
    const { client } = clientFor(server.url);
    await client.requestJob(request, never);
    let isFirst = true;
    server.answer((seen, response) => {
      if (isFirst) {
        isFirst = false;
        seen.reset();
      } else {
        sendStatus(response, 204);
      }
    });
    expect(await client.requestJob(request, never)).toMatchObject({ kind: 'none' });
    const [first, second, third] = server.seen.map((seen) => seen.clientPort);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it('opens a new connection once the kept ones are too old', async () => {
    const { client } = clientFor(server.url, { connectionMaxAgeMs: 1e-6 });
    await client.requestJob(request, never);
    await client.requestJob(request, never);
    expect(server.seen[0]?.clientPort).not.toBe(server.seen[1]?.clientPort);
    const kept = clientFor(server.url, { connectionMaxAgeMs: 0 });
    await kept.client.requestJob(request, never);
    await kept.client.requestJob(request, never);
    expect(server.seen[2]?.clientPort).toBe(server.seen[3]?.clientPort);
  });

  it('ends when it is aborted while the server holds it', async () => {
    server.answer(() => {});
    const controller = new AbortController();
    const result = clientFor(server.url).client.requestJob(request, controller.signal);
    await server.until(() => true);
    controller.abort(new AbortReason('finished', 'not needed'));
    await expect(result).rejects.toMatchObject({ kind: 'finished', message: 'not needed' });
  });

  it.each([
    ['a wrong type', minimalJob({ steps: 'none' }), 'steps'],
    ['a bad variable', minimalJob({ variables: [{ key: 1 }] }), 'variables.0.key'],
  ])('tells a job with %s apart when id and token can be read', async (_name, job, path) => {
    server.answer((_request, response) => sendJson(response, 201, job));
    const result = await clientFor(server.url).client.requestJob(request, never);
    expect(result).toMatchObject({ kind: 'undecodable', jobId: 1, jobToken: 'jobtoken' });
    expect(result.kind === 'undecodable' && result.message).toContain(path);
  });

  it('tells a job with another content type apart', async () => {
    server.answer((_request, response) => {
      response.writeHead(201, { 'Content-Type': 'text/plain' });
      response.end(JSON.stringify(minimalJob()));
    });
    const result = await clientFor(server.url).client.requestJob(request, never);
    expect(result).toMatchObject({ kind: 'undecodable', jobId: 1 });
  });

  it('fails on an answer 201 that is no JSON', async () => {
    server.answer((_request, response) => {
      response.writeHead(201, { 'Content-Type': 'application/json' });
      response.end('{"id": 1, "tok');
    });
    expect(await clientFor(server.url).client.requestJob(request, never)).toMatchObject({ kind: 'failed' });
  });

  it('cannot be made for another scheme', () => {
    expect(() => clientFor('ftp://gitlab.test')).toThrow('only http or https scheme supported');
    expect(() => clientFor('nonsense')).toThrow('cannot be read');
  });
});
