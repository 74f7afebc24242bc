export interface S3Encryption {
  readonly type: 'AES256' | 'aws:kms' | 'aws:kms:dsse';
  /** Of the key management service; empty = its default. */
  readonly keyId: string;
}

const types: Readonly<Record<string, S3Encryption['type']>> = {
  s3: 'AES256',
  aes256: 'AES256',
  kms: 'aws:kms',
  'aws:kms': 'aws:kms',
  'dsse-kms': 'aws:kms:dsse',
  'aws:kms:dsse': 'aws:kms:dsse',
};

/** What `ServerSideEncryption` means; undefined = none, or not known. */
export function s3Encryption(written: string, keyId: string): S3Encryption | undefined {
  const type = types[written.toLowerCase()];
  if (type === undefined) return undefined;
  return { type, keyId: type === 'AES256' ? '' : keyId };
}

/** Headers of a request that stores an object. */
export function encryptionHeaders(encryption: S3Encryption | undefined): Readonly<Record<string, string>> {
  if (encryption === undefined) return {};
  return {
    'x-amz-server-side-encryption': encryption.type,
    ...(encryption.keyId === '' ? {} : { 'x-amz-server-side-encryption-aws-kms-key-id': encryption.keyId }),
  };
}
