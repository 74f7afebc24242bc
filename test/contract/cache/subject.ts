import type { RunnerConfig } from '../../../src/config/runner-config.ts';
import type { Environment } from './cache-job.ts';

/** One kind of place for caches, ready to be used. */
export interface CacheSubject {
  readonly cache: RunnerConfig['cache'];
  readonly environment: Environment;
  /** The same place with credentials that are not good, and what the user is then told; absent = it checks none. */
  readonly wrongCredentials?: { readonly cache: RunnerConfig['cache']; readonly message: RegExp };
  /** A place where nothing answers; absent = there is no such thing. */
  readonly unavailable?: { readonly cache: RunnerConfig['cache']; readonly environment: Environment };
  /** What the user is told of access that is over; absent = it is never over. */
  readonly expiredMessage?: RegExp;
  stop(): Promise<void>;
}

export interface SubjectTraits {
  /** Whether caches reach other machines. */
  readonly isRemote: boolean;
  /** Whether jobs get signed URLs, or credentials for one object. */
  readonly access: 'local' | 'presigned' | 'direct';
  /** Whether who may upload can see that the cache is there already. */
  readonly seesUploaded: boolean;
  /** Whether access that is over is told from other refusals. */
  readonly accessEnds: boolean;
}

export const localCache: RunnerConfig['cache'] = { type: '', path: '', shared: false, maxUploadedArchiveSize: 0 };

export const s3Defaults = {
  serverAddress: '',
  accessKey: '',
  secretKey: '',
  sessionToken: '',
  bucketName: '',
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
