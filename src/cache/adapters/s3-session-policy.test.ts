import { describe, expect, it } from 'vitest';
import { sessionPolicy } from './s3-session-policy.ts';

const scope = {
  region: 'eu-central-1',
  bucket: 'b',
  object: 'project/1/key',
  direction: 'upload',
  encryption: undefined,
  isAws: true,
} as const;

describe('the policy of a session', () => {
  it('allows one action on one object, byte for byte', () => {
    expect(sessionPolicy(scope)).toBe(
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:PutObject"],"Resource":"arn:aws:s3:::b/project/1/key"}]}',
    );
    expect(sessionPolicy({ ...scope, direction: 'download', region: 'cn-north-1' })).toBe(
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"arn:aws-cn:s3:::b/project/1/key"}]}',
    );
    expect(sessionPolicy({ ...scope, region: 'us-gov-west-1' })).toContain('"arn:aws-us-gov:s3:::b/project/1/key"');
  });

  it('allows the use of the key that encrypts', () => {
    const encryption = { type: 'aws:kms', keyId: 'arn:aws:kms:eu-central-1:1:key/k' } as const;
    expect(sessionPolicy({ ...scope, encryption })).toBe(
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:PutObject"],"Resource":"arn:aws:s3:::b/project/1/key"},' +
        '{"Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"arn:aws:kms:eu-central-1:1:key/k"}]}',
    );
    expect(sessionPolicy({ ...scope, encryption: { type: 'AES256', keyId: '' } })).toBe(sessionPolicy(scope));
  });

  it('a key with wildcards is still one object at AWS; others know no such form', () => {
    const wild = { ...scope, object: 'project/1/a*?$' };
    // oxlint-disable-next-line no-template-curly-in-string -- the form of a policy's variables
    expect(sessionPolicy(wild)).toContain('"arn:aws:s3:::b/project/1/a${*}${?}${$}"');
    expect(sessionPolicy({ ...wild, isAws: false })).toContain('"arn:aws:s3:::b/project/1/a*?$"');
  });
});
