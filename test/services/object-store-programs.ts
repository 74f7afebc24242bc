import { createHmac } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { request } from 'node:https';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { sharedKeyText } from '../../src/cache/adapters/azure-shared-key.ts';
import { emptyPayloadHash, signHeaders } from '../../src/cache/adapters/sigv4.ts';
import type { TestAuthority } from '../support/certificates.ts';
import { freePort, type ServiceProcess, startService } from './service-process.ts';

/** Folder that `.ci/object-stores` fills. */
export function objectStoresFolder(): string {
  return process.env['MILLRACE_OBJECT_STORES'] ?? join(homedir(), '.cache', 'millrace-ci', 'object-stores-1');
}

export const programs = {
  minio: () => join(objectStoresFolder(), 'minio', 'minio'),
  'fake-gcs-server': () => join(objectStoresFolder(), 'fake-gcs-server', 'fake-gcs-server'),
  azurite: () => join(objectStoresFolder(), 'azurite', 'node_modules', 'azurite', 'dist', 'src', 'blob', 'main.js'),
} as const;

export function hasProgram(name: keyof typeof programs): boolean {
  return existsSync(programs[name]());
}

export interface RunningStore {
  readonly port: number;
  readonly process: ServiceProcess;
}

export const minioKeys = { accessKey: 'millrace-test', secretKey: 'millrace-test-secret' };

/** A real MinIO with one bucket, its data below a folder. */
export async function startMinio(folder: string, bucket: string): Promise<RunningStore> {
  const [port, consolePort] = [await freePort(), await freePort()];
  const data = join(folder, 'minio');
  mkdirSync(data);
  const origin = `http://127.0.0.1:${port}`;
  const process = await startService({
    program: programs.minio(),
    arguments: ['server', data, '--address', `127.0.0.1:${port}`, '--console-address', `127.0.0.1:${consolePort}`],
    environment: {
      HOME: folder,
      MINIO_ROOT_USER: minioKeys.accessKey,
      MINIO_ROOT_PASSWORD: minioKeys.secretKey,
      MINIO_UPDATE: 'off',
      MINIO_BROWSER: 'off',
    },
    // It says that it is ready before it takes requests.
    isReady: async () => await makeBucket(new URL(`${origin}/${bucket}`)),
  });
  return { port, process };
}

async function makeBucket(url: URL): Promise<boolean> {
  const credentials = { accessKeyId: minioKeys.accessKey, secretAccessKey: minioKeys.secretKey };
  const context = { credentials, region: 'us-east-1', service: 's3', nowMs: Date.now() };
  const headers = signHeaders({ method: 'PUT', url, headers: {} }, emptyPayloadHash, context);
  return (await fetch(url, { method: 'PUT', headers })).ok;
}

/** Account and key that every azurite has. */
export const azuriteAccount = {
  name: 'devstoreaccount1',
  key: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
};

/** Azurite over TLS with one container. */
export async function startAzurite(folder: string, container: string, authority: TestAuthority): Promise<RunningStore> {
  const port = await freePort();
  const data = join(folder, 'azurite');
  mkdirSync(data);
  const { certFile, keyFile } = authority.issue('azurite');
  const started = await startService({
    program: process.execPath,
    arguments: [
      [programs.azurite(), '--blobHost', '127.0.0.1', '--blobPort', String(port), '--location', data, '--silent'],
      ['--cert', certFile, '--key', keyFile, '--oauth', 'basic', '--skipApiVersionCheck', '--disableTelemetry'],
    ].flat(),
    isReady: async () => (await ask('GET', new URL(`https://127.0.0.1:${port}/`), {})) > 0,
  });
  const url = new URL(`https://127.0.0.1:${port}/${azuriteAccount.name}/${container}?restype=container`);
  const headers = { 'x-ms-version': '2021-12-02', 'x-ms-date': new Date().toUTCString() };
  const text = sharedKeyText({ method: 'PUT', url, headers, length: 0 }, azuriteAccount.name);
  const key = Buffer.from(azuriteAccount.key, 'base64');
  const signature = createHmac('sha256', key).update(text).digest('base64');
  const status = await ask('PUT', url, { ...headers, Authorization: `SharedKey ${azuriteAccount.name}:${signature}` });
  if (status !== 201) {
    await started.stop();
    throw new Error(`making the container: ${status}`);
  }
  return { port, process: started };
}

/** fake-gcs-server over TLS with one bucket, under the public host name of the storage. */
export async function startFakeGcs(folder: string, bucket: string, authority: TestAuthority): Promise<RunningStore> {
  const port = await freePort();
  const { certFile, keyFile } = authority.issue('gcs', 'DNS:storage.googleapis.com,IP:127.0.0.1');
  const data = join(folder, 'gcs');
  mkdirSync(join(data, bucket), { recursive: true });
  const started = await startService({
    program: programs['fake-gcs-server'](),
    arguments: [
      ['-scheme', 'https', '-host', '127.0.0.1', '-port', String(port), '-public-host', 'storage.googleapis.com'],
      ['-backend', 'filesystem', '-filesystem-root', data, '-log-level', 'error'],
      ['-cert-location', certFile, '-private-key-location', keyFile],
    ].flat(),
    isReady: async () => (await ask('GET', new URL(`https://127.0.0.1:${port}/storage/v1/b`), {})) === 200,
  });
  return { port, process: started };
}

/** The status of an answer; certificates are the test's own. */
async function ask(method: string, url: URL, headers: Readonly<Record<string, string>>): Promise<number> {
  return await new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method, headers: { ...headers, 'Content-Length': '0' }, rejectUnauthorized: false },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}
