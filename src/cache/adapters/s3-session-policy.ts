import type { S3Encryption } from './s3-encryption.ts';
import { partitionOf } from './s3-endpoint.ts';

export interface SessionScope {
  readonly region: string;
  readonly bucket: string;
  readonly object: string;
  readonly direction: 'download' | 'upload';
  readonly encryption: S3Encryption | undefined;
  /** AWS itself: it knows how a sign is written that stands for itself. */
  readonly isAws: boolean;
}

/**
 * The policy that narrows an assumed role to one object and one action (spec cache-artifacts.md §11.1 "RoleARN mode").
 * At AWS signs that mean something in a policy stand for themselves: a key with `*` is one object.
 */
export function sessionPolicy({ region, bucket, object, direction, encryption, isAws }: SessionScope): string {
  const key = encryption?.keyId ?? '';
  const usesKey = encryption !== undefined && encryption.type !== 'AES256';
  const policy = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: [direction === 'upload' ? 's3:PutObject' : 's3:GetObject'],
        Resource: `arn:${partitionOf(region)}:s3:::${isAws ? literally(`${bucket}/${object}`) : `${bucket}/${object}`}`,
      },
      ...(usesKey ? [{ Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: key }] : []),
    ],
  };
  return JSON.stringify(policy);
}

function literally(name: string): string {
  return name.replace(/[*?$]/g, (sign) => `\${${sign}}`);
}
