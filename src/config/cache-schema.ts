import * as z from 'zod';

/** The tables of cache stores (spec cache-artifacts.md §11): names, types and defaults. */
const text = z.string().default('');

export const cacheS3Schema = z.object({
  ServerAddress: text.describe('Host of the store, with a port where it has one of its own; empty = AWS.'),
  AccessKey: text.describe('Key of the account.'),
  SecretKey: text.describe('Secret of the key. Jobs never see it.'),
  SessionToken: text.describe('Token of temporary keys.'),
  BucketName: text.describe('Bucket that holds the caches.'),
  BucketLocation: text.describe('Region of the bucket; empty = the store is asked once.'),
  Insecure: z.boolean().default(false).describe('Use http.'),
  AuthenticationType: text.describe(
    '`access-key`, or `iam`: the manager’s own role (environment, files, service account, task, instance); empty = `access-key` where address and both keys are set.',
  ),
  ServerSideEncryption: text.describe('`S3`, `KMS` or `DSSE-KMS`; empty = as the bucket has it.'),
  ServerSideEncryptionKeyID: text.describe('Key for `KMS` and `DSSE-KMS`; with a role its ARN.'),
  DualStack: z.boolean().default(true).describe('Use AWS’s addresses for IPv4 and IPv6.'),
  PathStyle: z
    .boolean()
    .optional()
    .describe(
      'Name the bucket in the path instead of the host; absent = as the host needs it (AWS, Google and `*.aliyuncs.com`: host, others: path).',
    ),
  Accelerate: z.boolean().default(false).describe('Use AWS’s transfer acceleration.'),
  RoleARN: text.describe('Role for up- and downloads: jobs get its credentials, narrowed to one cache.'),
  UploadRoleARN: text.describe('The same for uploads only; deprecated.'),
  AssumeRoleMaxConcurrency: z
    .number()
    .default(0)
    .describe('Requests for the role’s credentials at the same time; 0 = 5, negative = any.'),
  DisableAssumeRoleCredentialsCaching: z
    .boolean()
    .default(false)
    .describe('Ask for new credentials of the role for every job.'),
});

export const cacheGcsSchema = z.object({
  AccessID: text.describe('E-mail of the service account.'),
  PrivateKey: text.describe('Its private key (PEM, line ends as `\\n`). Jobs never see it.'),
  CredentialsFile: text.describe(
    'JSON key file of a service account; without it and the two above the manager’s own account signs.',
  ),
  BucketName: text.describe('Bucket that holds the caches.'),
  UniverseDomain: text.describe('Domain of the cloud; empty = `googleapis.com`.'),
});

export const cacheAzureSchema = z.object({
  AccountName: text.describe('Storage account.'),
  AccountKey: text.describe('Its key; empty = the manager’s own identity signs. Jobs never see it.'),
  ContainerName: text.describe('Container that holds the caches.'),
  StorageDomain: text.describe('Domain of the service; empty = `blob.core.windows.net`.'),
});
