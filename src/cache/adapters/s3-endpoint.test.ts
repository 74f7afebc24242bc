import { describe, expect, it } from 'vitest';
import { objectUrl, type S3Settings, s3Address } from './s3-endpoint.ts';
import { parseS3ObjectUrl, s3ObjectUrl } from './s3-object-url.ts';

const unset: S3Settings = {
  serverAddress: '',
  accessKey: '',
  secretKey: '',
  sessionToken: '',
  bucketName: 'b',
  bucketLocation: '',
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
};

function urlOf(changes: Partial<S3Settings>, region = 'eu-west-1'): string {
  return objectUrl(s3Address({ ...unset, ...changes }), region, 'a b').href;
}

describe('addresses of objects in S3', () => {
  it.each<[string, Partial<S3Settings>, string]>([
    ['AWS', {}, 'https://b.s3.dualstack.eu-west-1.amazonaws.com/a%20b'],
    ['AWS over IPv4', { dualStack: false }, 'https://b.s3.eu-west-1.amazonaws.com/a%20b'],
    [
      'the global name of AWS',
      { serverAddress: 's3.amazonaws.com', dualStack: false },
      'https://b.s3.eu-west-1.amazonaws.com/a%20b',
    ],
    ['acceleration', { accelerate: true }, 'https://b.s3-accelerate.dualstack.amazonaws.com/a%20b'],
    [
      'a dot in the bucket',
      { bucketName: 'b.c', serverAddress: 's3.eu-west-1.amazonaws.com' },
      'https://s3.eu-west-1.amazonaws.com/b.c/a%20b',
    ],
    ['OSS', { serverAddress: 'oss-cn-hangzhou.aliyuncs.com' }, 'https://b.oss-cn-hangzhou.aliyuncs.com/a%20b'],
    [
      'OSS inside',
      { serverAddress: 's3.oss-cn-x-internal.aliyuncs.com' },
      'https://b.s3.oss-cn-x-internal.aliyuncs.com/a%20b',
    ],
    ['Google', { serverAddress: 'storage.googleapis.com' }, 'https://b.storage.googleapis.com/a%20b'],
    [
      'a host of one’s own',
      { serverAddress: 'minio.example.com:9000', insecure: true },
      'http://minio.example.com:9000/b/a%20b',
    ],
    ['the same by host', { serverAddress: 's3.example.com:443', pathStyle: false }, 'https://b.s3.example.com/a%20b'],
    ['not quite OSS', { serverAddress: 'aliyuncs.com.example.com' }, 'https://aliyuncs.com.example.com/b/a%20b'],
    [
      'an endpoint of a VPC',
      { serverAddress: 'bucket.vpce-1a-2b.s3.eu-west-1.vpce.amazonaws.com' },
      'https://b.bucket.vpce-1a-2b.s3.eu-west-1.vpce.amazonaws.com/a%20b',
    ],
  ])('%s', (_name, changes, expected) => {
    expect(urlOf(changes)).toBe(expected);
  });

  it('China has a domain of its own', () => {
    expect(urlOf({}, 'cn-north-1')).toBe('https://b.s3.dualstack.cn-north-1.amazonaws.com.cn/a%20b');
  });

  it('an address with a scheme or a path is refused with what to write', () => {
    for (const serverAddress of ['https://minio', 'minio/path', 'a b']) {
      expect(() => s3Address({ ...unset, serverAddress })).toThrow('[runners.cache.s3] is no host name');
    }
  });

  it('are told to the helper in one URL', () => {
    const settings = { ...unset, serverAddress: 'minio:9000', insecure: true };
    const encryption = { type: 'aws:kms', keyId: 'k' } as const;
    const facts = { address: s3Address(settings), region: 'r', dualStack: true, encryption };
    const text = s3ObjectUrl('project/1/a b', facts);
    expect(text).toBe(
      's3://b/project/1/a%20b?awssdk=v2&dualstack=true&endpoint=http%3A%2F%2Fminio%3A9000&hostname_immutable=true' +
        '&kmskeyid=k&region=r&ssetype=aws%3Akms&use_path_style=true',
    );
    const read = parseS3ObjectUrl(new URL(text));
    expect(objectUrl(read.address, read.region, 'x').href).toBe('http://minio:9000/b/x');
    expect(read.encryption).toEqual(encryption);
    const plain = {
      address: s3Address({ ...unset, dualStack: false }),
      region: '',
      dualStack: false,
      encryption: undefined,
    };
    expect(s3ObjectUrl('k', plain)).toBe('s3://b/k?awssdk=v2');
  });
});
