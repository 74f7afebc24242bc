import type { RunnerConfig } from '../../config/runner-config.ts';
import { ConfigError } from '../../lib/errors.ts';
import type { CacheAccess, CacheSettings, CacheStore, CacheStorePorts } from './cache-store.ts';
import { findGoogleIdentity, keySigner, readKeyFile, signerOf } from './gcs-credentials.ts';
import { type GcsSigner, type GcsUrlRequest, gcsSignedUrl } from './gcs-signed-url.ts';
import { headerText } from './header-text.ts';

type GcsSettings = NonNullable<RunnerConfig['cache']['gcs']>;

const uploadType = 'application/octet-stream';

/** Google Cloud Storage with signed URLs (spec cache-artifacts.md §11.2). @throws ConfigError */
export function createGcsCacheStore(settings: CacheSettings, ports: CacheStorePorts): CacheStore {
  const { gcs, maxUploadedArchiveSize } = settings;
  if (gcs === undefined)
    throw new ConfigError('missing GCS configuration', { hint: 'Add a [runners.cache.gcs] table.' });
  if (gcs.bucketName === '') throw new ConfigError('config BucketName cannot be empty');
  const universe = gcs.universeDomain || 'googleapis.com';
  const signer = signerFor(gcs, universe, ports);
  return {
    access: async (object, direction, signal): Promise<CacheAccess> => {
      const place = {
        origin: `https://storage.${universe}`,
        bucket: gcs.bucketName,
        object: object.name,
        nowMs: ports.now(),
        expiresAtMs: ports.now() + object.lifetimeMs,
      };
      const account = await signer(signal);
      const sign = (method: GcsUrlRequest['method'], contentType: string, headers: Readonly<Record<string, string>>) =>
        gcsSignedUrl({ ...place, method, contentType, headers }, account, signal);
      const headers = direction === 'upload' ? uploadHeaders(object.humanKey, maxUploadedArchiveSize) : {};
      const [url, headUrl] = await Promise.all([
        direction === 'upload' ? sign('PUT', uploadType, headers) : sign('GET', '', {}),
        sign('HEAD', '', {}),
      ]);
      return { kind: 'presigned', url, headUrl, headers };
    },
  };
}

function uploadHeaders(humanKey: string, limitBytes: number): Readonly<Record<string, string>> {
  return {
    ...(limitBytes > 0 ? { 'x-goog-content-length-range': `0,${limitBytes}` } : {}),
    'x-goog-meta-cachekey': headerText(humanKey),
  };
}

/** The same account for all URLs of a store: looked for once. */
function signerFor(
  gcs: GcsSettings,
  universe: string,
  ports: CacheStorePorts,
): (signal: AbortSignal) => Promise<GcsSigner> {
  let known: GcsSigner | undefined;
  return async (signal) => {
    known ??= await findSigner(gcs, universe, ports, signal);
    return known;
  };
}

async function findSigner(
  { accessId, privateKey, credentialsFile }: GcsSettings,
  universe: string,
  ports: CacheStorePorts,
  signal: AbortSignal,
): Promise<GcsSigner> {
  if (accessId !== '' && privateKey !== '') return keySigner({ email: accessId, privateKey });
  if (credentialsFile !== '') return keySigner(await readKeyFile(credentialsFile, ports));
  if (accessId !== '' || privateKey !== '') {
    throw new ConfigError(
      'GCS config present, but credentials are not configured: AccessID and PrivateKey go together',
    );
  }
  return signerOf(await findGoogleIdentity(ports, signal), universe, ports);
}
