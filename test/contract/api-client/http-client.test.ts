import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AbortReason } from '../../../src/lib/abort.ts';
import { createHttpClient, type HttpResponse } from '../../../src/platform/http-client.ts';
import { createTlsTrust } from '../../../src/platform/tls-trust.ts';
import { type ScriptedServer, sendStatus, startScriptedServer } from '../../support/scripted-server.ts';
import { never } from './client-fixture.ts';

let server: ScriptedServer;
let other: ScriptedServer;
beforeEach(async () => {
  server = await startScriptedServer((_request, response) => sendStatus(response, 204));
  other = await startScriptedServer((_request, response) => void response.end('there'));
});
afterEach(() => Promise.all([server.close(), other.close()]));

function createClient() {
  const trust = createTlsTrust({ environment: {}, reportProblem: () => {} });
  return createHttpClient({
    trust,
    tlsFiles: { caFile: '', certFile: '', keyFile: '' },
    proxyFor: () => undefined,
    connectionMaxAgeMs: 0,
  });
}

async function textOf(response: HttpResponse): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response.body as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const headers = { 'JOB-TOKEN': 'secret', 'Content-Type': 'text/plain', 'X-Other': 'kept' };

describe('redirects', () => {
  it.each([
    [301, 'PUT', 'GET', ''],
    [302, 'PATCH', 'GET', ''],
    [303, 'POST', 'GET', ''],
    [307, 'PUT', 'PUT', 'body'],
    [308, 'POST', 'POST', 'body'],
  ])('%d turns %s into %s', async (status, method, becomes, body) => {
    server.answer((request, response) => {
      if (request.path === '/from') sendStatus(response, status, { Location: '/to?x=1' });
      else sendStatus(response, 200);
    });
    const url = new URL(`${server.url}/from`);
    const response = await createClient().send({ method, url, headers, body: 'body' }, never);
    expect(response.status).toBe(200);
    expect(response.url.href).toBe(`${server.url}/to?x=1`);
    const last = server.seen.at(-1);
    expect(last).toMatchObject({ method: becomes, path: '/to?x=1', body });
    expect(last?.headers['job-token']).toBe('secret');
    expect(last?.headers['content-type']).toBe(body === '' ? undefined : 'text/plain');
  });

  it('leave tokens behind at another origin', async () => {
    server.answer((_request, response) => sendStatus(response, 307, { Location: `${other.url}/there` }));
    const request = {
      method: 'POST',
      url: new URL(server.url),
      headers: { ...headers, 'RUNNER-TOKEN': 'a', 'PRIVATE-TOKEN': 'b', Authorization: 'c', Cookie: 'd' },
      body: 'body',
    };
    const response = await createClient().send(request, never);
    expect(await textOf(response)).toBe('there');
    const [seen] = other.seen;
    expect(seen?.body).toBe('body');
    expect(seen?.headers['x-other']).toBe('kept');
    for (const name of ['job-token', 'runner-token', 'private-token', 'authorization', 'cookie']) {
      expect(seen?.headers).not.toHaveProperty(name);
    }
  });

  it('repeat a streamed body', async () => {
    server.answer((request, response) => {
      if (request.path === '/from') sendStatus(response, 307, { Location: '/to' });
      else sendStatus(response, 201);
    });
    const body = (): Readable => Readable.from([Buffer.from('one '), Buffer.from('two')]);
    const url = new URL(`${server.url}/from`);
    const response = await createClient().send({ method: 'POST', url, headers, body }, never);
    expect(response.status).toBe(201);
    expect(server.seen.map((seen) => seen.body)).toEqual(['one two', 'one two']);
    expect(server.seen[0]?.headers['transfer-encoding']).toBe('chunked');
  });

  it('end after ten', async () => {
    server.answer((_request, response) => sendStatus(response, 302, { Location: '/again' }));
    const sent = createClient().send({ method: 'GET', url: new URL(server.url), headers: {} }, never);
    await expect(sent).rejects.toThrow('stopped after 10 redirects');
    expect(server.seen).toHaveLength(11);
  });

  it('are an answer where they lead nowhere, or are not to be followed', async () => {
    server.answer((_request, response) => sendStatus(response, 302));
    const url = new URL(server.url);
    expect((await createClient().send({ method: 'GET', url, headers: {} }, never)).status).toBe(302);
    server.answer((_request, response) => sendStatus(response, 302, { Location: '/to' }));
    const manual = await createClient().send({ method: 'GET', url, headers: {}, redirect: 'manual' }, never);
    expect([manual.status, manual.headers.location]).toEqual([302, '/to']);
  });
});

describe('an answer that has begun', () => {
  async function beginAnswer(keepAnswer: boolean) {
    const rest = Promise.withResolvers<void>();
    server.answer(async (_request, response) => {
      response.write('first ');
      await rest.promise;
      response.end('second');
    });
    const controller = new AbortController();
    const url = new URL(server.url);
    const response = await createClient().send({ method: 'POST', url, headers: {}, keepAnswer }, controller.signal);
    controller.abort(new AbortReason('finished', 'not needed'));
    rest.resolve();
    return response;
  }

  it('is read to its end in spite of an abort, where asked for: a job in it is not lost', async () => {
    expect(await textOf(await beginAnswer(true))).toBe('first second');
  });

  it('breaks off with the reason otherwise', async () => {
    const response = await beginAnswer(false);
    await expect(textOf(response)).rejects.toMatchObject({ kind: 'finished', message: 'not needed' });
  });

  it('breaks off when the server goes away', async () => {
    server.answer((request, response) => {
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('part');
      setImmediate(request.reset);
    });
    const sent = createClient().send({ method: 'GET', url: new URL(server.url), headers: {} }, never);
    await expect(sent.then(textOf)).rejects.toThrow();
  });
});

describe('time limits', () => {
  it('end a request whose answer does not come', async () => {
    server.answer(() => {});
    const url = new URL(server.url);
    const sent = createClient().send({ method: 'GET', url, headers: {}, headerTimeoutMs: 20 }, never);
    await expect(sent).rejects.toMatchObject({ kind: 'unreachable', message: 'timed out waiting for the answer' });
  });

  it('end an answer whose body does not come', async () => {
    server.answer((_request, response) => void response.write('part'));
    const url = new URL(server.url);
    const response = await createClient().send({ method: 'GET', url, headers: {}, timeoutMs: 500 }, never);
    await expect(textOf(response)).rejects.toThrow('timed out');
  });
});

describe('a streamed body', () => {
  it('that fails makes the request fail with its cause', async () => {
    const body = (): Readable =>
      Readable.from(
        (function* () {
          yield Buffer.from('one');
          throw new Error('disk error');
        })(),
      );
    const sent = createClient().send({ method: 'POST', url: new URL(server.url), headers: {}, body }, never);
    await expect(sent).rejects.toThrow('send the request: disk error');
  });
});
