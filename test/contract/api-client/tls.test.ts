import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import type { ServerOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JobRequestResult } from '../../../src/gitlab/job-requests.ts';
import { createTestAuthority, type TestAuthority } from '../../support/certificates.ts';
import { needs } from '../../support/needs.ts';
import { type ScriptedServer, sendJson, startScriptedServer } from '../../support/scripted-server.ts';
import { type ClientFixtureOptions, clientFor, info, minimalJob, never, systemId } from './client-fixture.ts';

/** A machine that trusts nobody. */
const noStore = { SSL_CERT_FILE: '/nonexistent', SSL_CERT_DIR: '/nonexistent' };

describe.skipIf(!needs('openssl'))('TLS', () => {
  let folder: string;
  let authority: TestAuthority;
  let serverPair: { readonly certFile: string; readonly keyFile: string };
  let server: ScriptedServer | undefined;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'));
    authority = createTestAuthority(folder, 'ca');
    serverPair = authority.issue('server');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  afterEach(() => server?.close());

  async function start(options: ServerOptions = {}): Promise<ScriptedServer> {
    server = await startScriptedServer((_request, response) => sendJson(response, 201, minimalJob()), {
      cert: readFileSync(serverPair.certFile),
      key: readFileSync(serverPair.keyFile),
      ...options,
    });
    return server;
  }

  async function ask(url: string, options: ClientFixtureOptions): Promise<JobRequestResult> {
    return await clientFor(url, options).client.requestJob({ info, systemId, longPoll: true }, never);
  }

  function caChainOf(result: JobRequestResult): string | undefined {
    return result.kind === 'job' ? result.tls.caChain : undefined;
  }

  const expectUntrusted = (result: JobRequestResult): void => {
    expect(result.kind).toBe('failed');
    expect(result.kind === 'failed' && result.message).toMatch(/certificate/);
  };

  it('refuses a server whose authority is not known', async () => {
    const { url } = await start();
    expectUntrusted(await ask(url, { environment: noStore }));
    expectUntrusted(await ask(url, {}));
  });

  it('trusts a CA file and hands its text to jobs', async () => {
    const { url } = await start();
    const result = await ask(url, { environment: noStore, tls: { caFile: authority.certFile } });
    expect(caChainOf(result)).toBe(readFileSync(authority.certFile, 'utf8'));
  });

  it('trusts SSL_CERT_FILE and hands the verified chain to jobs', async () => {
    const { url } = await start();
    const result = await ask(url, { environment: { ...noStore, SSL_CERT_FILE: authority.certFile } });
    const chain = caChainOf(result)?.match(/BEGIN CERTIFICATE/g);
    expect(chain).toHaveLength(2);
    expect(caChainOf(result)).toContain(readFileSync(authority.certFile, 'utf8').trim());
    expect(caChainOf(result)?.endsWith('-----END CERTIFICATE-----')).toBe(true);
  });

  it('trusts every folder of SSL_CERT_DIR', async () => {
    const { url } = await start();
    const environment = { SSL_CERT_FILE: '/nonexistent', SSL_CERT_DIR: `/nonexistent:${folder}` };
    expect((await ask(url, { environment })).kind).toBe('job');
  });

  it('refuses a certificate for another host', async () => {
    const pair = authority.issue('elsewhere', 'DNS:elsewhere.test');
    const { url } = await start({ cert: readFileSync(pair.certFile), key: readFileSync(pair.keyFile) });
    expectUntrusted(await ask(url, { tls: { caFile: authority.certFile } }));
  });

  it('refuses TLS 1.1', async () => {
    const { url } = await start({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
    expect((await ask(url, { tls: { caFile: authority.certFile } })).kind).toBe('failed');
  });

  it('shows a client certificate and hands it to jobs', async () => {
    const { url } = await start({ requestCert: true, rejectUnauthorized: true, ca: readFileSync(authority.certFile) });
    expect((await ask(url, { tls: { caFile: authority.certFile } })).kind).toBe('failed');
    const pair = authority.issue('client');
    const result = await ask(url, { tls: { caFile: authority.certFile, ...pair } });
    expect(result.kind === 'job' && result.tls).toMatchObject({
      certificate: readFileSync(pair.certFile, 'utf8'),
      privateKey: readFileSync(pair.keyFile, 'utf8'),
    });
  });

  it('reads a CA file again when it has changed', async () => {
    const { url } = await start();
    const caFile = join(folder, 'changing.crt');
    const { certFile } = createTestAuthority(folder, 'other');
    writeFileSync(caFile, readFileSync(certFile));
    utimesSync(caFile, 1, 1);
    const { client } = clientFor(url, { environment: noStore, tls: { caFile } });
    const request = () => client.requestJob({ info, systemId, longPoll: true }, never);
    expectUntrusted(await request());
    writeFileSync(caFile, readFileSync(authority.certFile));
    expect((await request()).kind).toBe('job');
  });

  it('ignores a CA file that is missing, and one that is no certificate with an error', async () => {
    const { url } = await start();
    const environment = { ...noStore, SSL_CERT_FILE: authority.certFile };
    expect((await ask(url, { environment, tls: { caFile: join(folder, 'missing') } })).kind).toBe('job');
    const caFile = join(folder, 'garbage.crt');
    writeFileSync(caFile, 'garbage');
    const { client, lines } = clientFor(url, { environment, tls: { caFile } });
    expect((await client.requestJob({ info, systemId, longPoll: true }, never)).kind).toBe('job');
    expect(lines.filter((line) => line.level === 'error').map((line) => line.message)).toEqual([
      `The CA file ${caFile} holds no valid PEM certificate and is ignored`,
    ]);
  });

  it('fails with a clear message when the client certificate cannot be read', async () => {
    const { url } = await start();
    const result = await ask(url, { tls: { caFile: authority.certFile, certFile: '/none.crt', keyFile: '/none.key' } });
    expect(result).toMatchObject({ kind: 'failed', message: expect.stringContaining('/none.crt') as string });
  });
});
