import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RunnerConfig } from '../../../src/config/runner-config.ts';
import { startConnectProxy } from '../../services/connect-proxy.ts';
import {
  azuriteAccount,
  minioKeys,
  startAzurite,
  startFakeGcs,
  startMinio,
} from '../../services/object-store-programs.ts';
import { startOssServer } from '../../services/oss-server.ts';
import { freePort } from '../../services/service-process.ts';
import { createTestAuthority } from '../../support/certificates.ts';
import { type CacheSubject, localCache, s3Defaults } from './subject.ts';

type Cache = RunnerConfig['cache'];

/** Only the local archive. */
export async function localSubject(): Promise<CacheSubject> {
  return await Promise.resolve({ cache: localCache, environment: {}, stop: async () => await Promise.resolve() });
}

async function minio(
  folder: string,
  changes: Partial<typeof s3Defaults>,
  environment: Readonly<Record<string, string>>,
) {
  const { port, process } = await startMinio(folder, 'runner-cache');
  const s3 = {
    ...s3Defaults,
    ...minioKeys,
    bucketName: 'runner-cache',
    insecure: true,
    serverAddress: `127.0.0.1:${port}`,
    ...changes,
  };
  const cache: Cache = { ...localCache, type: 's3', s3 };
  const away = { ...s3, serverAddress: `127.0.0.1:${await freePort()}` };
  return { cache, s3, port, process, environment, unavailable: { cache: { ...cache, s3: away }, environment } };
}

/** MinIO with keys: signed URLs. The region is asked for. */
export async function minioSubject(folder: string): Promise<CacheSubject> {
  const { cache, s3, process, environment, unavailable } = await minio(folder, {}, {});
  return {
    cache,
    environment,
    unavailable,
    wrongCredentials: {
      cache: { ...cache, s3: { ...s3, secretKey: 'secret-of-nobody' } },
      message: /403 Forbidden.*SignatureDoesNotMatch/s,
    },
    expiredMessage: /403 Forbidden.*AccessDenied, message: Request has expired/s,
    stop: () => process.stop(),
  };
}

/** MinIO with a role: jobs get credentials of a session that is good for one object. */
export async function minioRoleSubject(folder: string): Promise<CacheSubject> {
  const roleArn = 'arn:minio:iam:::role/any';
  const { cache, s3, port, process, unavailable } = await minio(folder, { roleArn, bucketLocation: 'us-east-1' }, {});
  const environment = { AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${port}` };
  return {
    cache,
    environment,
    unavailable: { ...unavailable, environment },
    wrongCredentials: {
      cache: { ...cache, s3: { ...s3, secretKey: 'secret-of-nobody' } },
      message: /Unable to generate cache upload environment: failed to assume role \(took .*403 Forbidden/,
    },
    stop: () => process.stop(),
  };
}

const ossEndpoint = 'oss-cn-hangzhou.aliyuncs.com';

/** A server as strict as Alibaba Cloud's, under its own host name. */
export async function ossSubject(folder: string): Promise<CacheSubject> {
  const authority = createTestAuthority(folder, 'oss');
  const { certFile, keyFile } = authority.issue('oss-server', `DNS:${ossEndpoint},DNS:*.${ossEndpoint}`);
  const keys = { accessKey: 'LTAI5tTestKey', secretKey: 'secret-of-oss', region: 'cn-hangzhou' };
  const certificate = { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  const server = await startOssServer({ ...keys, bucket: 'runner-cache', endpoint: ossEndpoint, certificate });
  const proxy = await startConnectProxy({ [`.${ossEndpoint}:443`]: server.port, [`${ossEndpoint}:443`]: server.port });
  const s3 = {
    ...s3Defaults,
    accessKey: keys.accessKey,
    secretKey: keys.secretKey,
    serverAddress: ossEndpoint,
    bucketName: 'runner-cache',
    bucketLocation: 'cn-hangzhou',
  };
  const cache: Cache = { ...localCache, type: 's3', shared: true, s3 };
  const environment = { HTTPS_PROXY: proxy.url, SSL_CERT_FILE: authority.certFile };
  return {
    cache,
    environment,
    unavailable: { cache, environment: { ...environment, HTTPS_PROXY: `http://127.0.0.1:${await freePort()}` } },
    wrongCredentials: {
      cache: { ...cache, s3: { ...s3, secretKey: 'secret-of-nobody' } },
      message: /403 Forbidden.*SignatureDoesNotMatch/s,
    },
    expiredMessage: /403 Forbidden.*Request has expired/s,
    stop: async () => {
      await proxy.close();
      await server.close();
    },
  };
}

/** Azurite with the account's key: jobs get a token for one blob. */
export async function azuriteSubject(folder: string): Promise<CacheSubject> {
  const authority = createTestAuthority(folder, 'azure');
  const { port, process } = await startAzurite(folder, 'runner-cache', authority);
  const azure = {
    accountName: azuriteAccount.name,
    accountKey: azuriteAccount.key,
    containerName: 'runner-cache',
    storageDomain: `127.0.0.1:${port}`,
  };
  const cache: Cache = { ...localCache, type: 'azure', azure };
  const environment = { SSL_CERT_FILE: authority.certFile };
  const away = { ...azure, storageDomain: `127.0.0.1:${await freePort()}` };
  return {
    cache,
    environment,
    unavailable: { cache: { ...cache, azure: away }, environment },
    wrongCredentials: {
      cache: { ...cache, azure: { ...azure, accountKey: Buffer.from('secret-of-nobody').toString('base64') } },
      message: /403 .*check the key or token of the account/s,
    },
    expiredMessage: /403 .*check the key or token of the account/s,
    stop: () => process.stop(),
  };
}

/** fake-gcs-server with the key of a service account; it checks no signatures. */
export async function fakeGcsSubject(folder: string): Promise<CacheSubject> {
  const authority = createTestAuthority(folder, 'google');
  const { port, process } = await startFakeGcs(folder, 'runner-cache', authority);
  const proxy = await startConnectProxy({ 'storage.googleapis.com:443': port });
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const gcs = {
    accessId: 'runner@example.iam.gserviceaccount.com',
    privateKey: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    credentialsFile: '',
    bucketName: 'runner-cache',
    universeDomain: '',
  };
  const cache: Cache = { ...localCache, type: 'gcs', gcs };
  const environment = { HTTPS_PROXY: proxy.url, SSL_CERT_FILE: authority.certFile };
  return {
    cache,
    environment,
    unavailable: { cache, environment: { ...environment, HTTPS_PROXY: `http://127.0.0.1:${await freePort()}` } },
    wrongCredentials: {
      cache: { ...cache, gcs: { ...gcs, privateKey: 'secret-of-nobody' } },
      message: /Unable to generate cache upload environment: the private key of .* cannot be used to sign/,
    },
    stop: async () => {
      await proxy.close();
      await process.stop();
    },
  };
}
