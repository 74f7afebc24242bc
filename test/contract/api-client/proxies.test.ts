import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestAuthority, type TestAuthority } from '../../support/certificates.ts';
import { needs } from '../../support/needs.ts';
import { type ScriptedServer, sendJson, startScriptedServer } from '../../support/scripted-server.ts';
import { type ClientFixtureOptions, clientFor, info, minimalJob, never, systemId } from './client-fixture.ts';

/** A proxy that reaches every host name at one server of this machine. */
interface TestProxy {
  readonly port: number;
  readonly asked: string[];
  readonly authorizations: (string | undefined)[];
  close(): Promise<void>;
}

async function startProxy(targetPort: number, connectStatus = '200 Connection established'): Promise<TestProxy> {
  const asked: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    authorizations.push(request.headers['proxy-authorization']);
    sendJson(response, 201, minimalJob());
  });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('connect', (request, client: Socket) => {
    asked.push(`CONNECT ${request.url}`);
    authorizations.push(request.headers['proxy-authorization']);
    client.on('error', () => {}).write(`HTTP/1.1 ${connectStatus}\r\n\r\n`);
    if (!connectStatus.startsWith('200')) {
      client.end();
      return;
    }
    const target = connect(targetPort, '127.0.0.1').on('error', () => client.destroy());
    sockets.add(target);
    client.pipe(target).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    authorizations,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const ask = (url: string, options: ClientFixtureOptions) =>
  clientFor(url, options).client.requestJob({ info, systemId, longPoll: true }, never);

describe('a proxy for http', () => {
  let proxy: TestProxy;
  beforeEach(async () => {
    proxy = await startProxy(0);
  });
  afterEach(() => proxy.close());

  it('gets the whole URL, and its credentials', async () => {
    const environment = { HTTP_PROXY: `http://us%40er:pa%3Ass@127.0.0.1:${proxy.port}` };
    expect((await ask('http://gitlab.test:8080/x', { environment })).kind).toBe('job');
    expect(proxy.asked).toEqual(['POST http://gitlab.test:8080/x/api/v4/jobs/request']);
    expect(proxy.authorizations).toEqual([`Basic ${Buffer.from('us@er:pa:ss').toString('base64')}`]);
  });

  it('is not asked for excluded hosts', async () => {
    const environment = { http_proxy: `http://127.0.0.1:${proxy.port}`, no_proxy: '.test' };
    expect((await ask('http://gitlab.test.:1', { environment })).kind).toBe('job');
    const direct = await ask('http://gitlab.test:1', { environment });
    expect(direct.kind).toBe('failed');
    expect(proxy.asked).toHaveLength(1);
  });

  it('of another kind is refused with a clear message', async () => {
    const environment = { HTTP_PROXY: `socks5://127.0.0.1:${proxy.port}` };
    expect(await ask('http://gitlab.test', { environment })).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('Proxy scheme socks5 is not supported') as string,
    });
  });
});

describe.skipIf(!needs('openssl'))('a proxy for https', () => {
  let folder: string;
  let authority: TestAuthority;
  let server: ScriptedServer;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-proxy-'));
    authority = createTestAuthority(folder, 'ca');
    const { certFile, keyFile } = authority.issue('server');
    server = await startScriptedServer((_request, response) => sendJson(response, 201, minimalJob()), {
      cert: readFileSync(certFile),
      key: readFileSync(keyFile),
    });
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('gets a CONNECT; the certificate is checked against the host behind it', async () => {
    const proxy = await startProxy(server.port);
    const environment = { HTTPS_PROXY: `http://user@127.0.0.1:${proxy.port}` };
    const tls = { caFile: authority.certFile };
    const wrongHost = await ask('https://gitlab.test', { environment, tls });
    expect(wrongHost).toMatchObject({ kind: 'failed', message: expect.stringContaining('gitlab.test') as string });
    expect(proxy.asked).toEqual(['CONNECT gitlab.test:443']);
    expect(proxy.authorizations).toEqual([`Basic ${Buffer.from('user:').toString('base64')}`]);
    await proxy.close();
  });

  it('carries requests of a trusted host, several over one tunnel', async () => {
    const proxy = await startProxy(server.port);
    const environment = { HTTPS_PROXY: `127.0.0.1:${proxy.port}` };
    // 127.0.0.1 is never proxied, and the certificate names nothing else that is not loopback: name it by its alias.
    const { client } = clientFor('https://LOCALHOST.:443', { environment, tls: { caFile: authority.certFile } });
    const results = [];
    for (let n = 0; n < 2; n += 1) results.push(await client.requestJob({ info, systemId, longPoll: true }, never));
    expect(results.map((result) => result.kind)).toEqual(['job', 'job']);
    expect(proxy.asked).toEqual(['CONNECT localhost.:443']);
    await proxy.close();
  });

  it('that refuses is named in the message', async () => {
    const proxy = await startProxy(server.port, '407 Proxy Authentication Required');
    const environment = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };
    expect(await ask('https://gitlab.test', { environment })).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('the proxy answered 407') as string,
    });
    await proxy.close();
  });
});
