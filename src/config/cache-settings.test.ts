import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../observability/logger.ts';
import { loadConfig } from './load-config.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cache-config-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function cacheOf(toml: string) {
  const path = join(folder, 'config.toml');
  await writeFile(path, `[[runners]]\n${toml}`);
  const { config } = await loadConfig(path, { environment: {}, defaultFolder: folder, logger: silentLogger });
  return config.runners[0]?.cache;
}

describe('[runners.cache]', () => {
  it('reads the keys of an OSS cache in the letter case of its guide', async () => {
    const cache = await cacheOf(`
  [runners.cache]
    type = "s3"
    shared = true
    [runners.cache.s3]
      ServerAddress = "oss-cn-hangzhou.aliyuncs.com"
      AccessKey = "LTAI5tExample"
      SecretKey = "example-secret"
      BucketName = "runner-cache"
      BucketLocation = "cn-hangzhou"
      Insecure = false
`);
    expect(cache).toEqual({
      type: 's3',
      path: '',
      shared: true,
      maxUploadedArchiveSize: 0,
      gcs: undefined,
      azure: undefined,
      s3: {
        serverAddress: 'oss-cn-hangzhou.aliyuncs.com',
        accessKey: 'LTAI5tExample',
        secretKey: 'example-secret',
        sessionToken: '',
        bucketName: 'runner-cache',
        bucketLocation: 'cn-hangzhou',
        insecure: false,
        authenticationType: '',
        serverSideEncryption: '',
        serverSideEncryptionKeyId: '',
        dualStack: true,
        pathStyle: undefined,
        accelerate: false,
        roleArn: '',
        uploadRoleArn: '',
        assumeRoleMaxConcurrency: 0,
        disableAssumeRoleCredentialsCaching: false,
      },
    });
  });

  it('reads the tables of Google and Azure', async () => {
    const cache = await cacheOf(`
  [runners.cache]
    Type = "gcs"
    Path = "prefix"
    [runners.cache.gcs]
      AccessID = "a@example.com"
      PrivateKey = "-----BEGIN-----\\nx\\n"
      BucketName = "g"
    [runners.cache.azure]
      AccountName = "acc"
      ContainerName = "con"
`);
    expect(cache?.gcs).toMatchObject({
      accessId: 'a@example.com',
      privateKey: '-----BEGIN-----\nx\n',
      universeDomain: '',
    });
    expect(cache?.azure).toEqual({ accountName: 'acc', accountKey: '', containerName: 'con', storageDomain: '' });
    expect(cache?.s3).toBeUndefined();
  });

  it('says where a value of the wrong kind stands', async () => {
    const bad = cacheOf('  [runners.cache.s3]\n    PathStyle = "yes"\n');
    await expect(bad).rejects.toThrow(/config\.toml:3:.*PathStyle: expected a boolean/);
  });
});
