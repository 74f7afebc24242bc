import { AbortReason } from '../../lib/abort.ts';
import { ConfigError, ExternalDependencyError, errorMessage } from '../../lib/errors.ts';
import { findAwsCredentials, keepCredentials } from './aws-credentials.ts';
import type {
  CacheAccess,
  CacheDirection,
  CacheObject,
  CacheSettings,
  CacheStore,
  CacheStorePorts,
} from './cache-store.ts';
import { headerText } from './header-text.ts';
import { s3ObjectName } from './object-names.ts';
import { encryptionHeaders, type S3Encryption, s3Encryption } from './s3-encryption.ts';
import { objectUrl, type S3Address, type S3Settings, s3Address } from './s3-endpoint.ts';
import { s3ObjectUrl } from './s3-object-url.ts';
import { defaultRegion, detectRegion } from './s3-region.ts';
import { createRoleSessions, type RoleSessions } from './s3-role-sessions.ts';
import { type AwsCredentials, presignUrl } from './sigv4.ts';

/**
 * S3 and what speaks like it (spec cache-artifacts.md §11.1): signed URLs, or with a role temporary credentials for the
 * one object. @throws ConfigError
 */
export function createS3CacheStore(settings: CacheSettings, ports: CacheStorePorts): CacheStore {
  const { s3 } = settings;
  if (s3 === undefined) throw new ConfigError('missing S3 configuration', { hint: 'Add a [runners.cache.s3] table.' });
  if (s3.bucketName === '') throw new ConfigError('config BucketName cannot be empty');
  return new S3CacheStore(s3, ports);
}

/** A region that the store did not tell is asked for again after this time. */
const askRegionAgainMs = 5 * 60_000;

class S3CacheStore implements CacheStore {
  readonly #settings: S3Settings;
  readonly #ports: CacheStorePorts;
  readonly #address: S3Address;
  readonly #encryption: S3Encryption | undefined;
  readonly #credentials: (signal: AbortSignal) => Promise<AwsCredentials>;
  readonly #sessions: RoleSessions;
  #region: string | undefined;
  #regionGuessedUntilMs = 0;

  constructor(settings: S3Settings, ports: CacheStorePorts) {
    this.#settings = settings;
    this.#ports = ports;
    this.#address = s3Address(settings);
    this.#encryption = s3Encryption(settings.serverSideEncryption, settings.serverSideEncryptionKeyId);
    if (settings.serverSideEncryption !== '' && this.#encryption === undefined) {
      ports.log.warn('unknown ServerSideEncryption value', { value: settings.serverSideEncryption });
    }
    this.#credentials = credentialsOf(settings, ports);
    this.#sessions = createRoleSessions(settings, ports);
    this.#region = settings.bucketLocation === '' ? undefined : settings.bucketLocation;
  }

  async access(object: CacheObject, direction: CacheDirection, signal: AbortSignal): Promise<CacheAccess> {
    const named = { ...object, name: object.name.replace(/^\/+/, '') };
    const roleArn = this.#roleFor(direction);
    return roleArn === ''
      ? await this.#presigned(named, direction, signal)
      : await this.#direct(named, direction, roleArn, signal);
  }

  #roleFor(direction: CacheDirection): string {
    const { roleArn, uploadRoleArn } = this.#settings;
    return roleArn !== '' || direction === 'download' ? roleArn : uploadRoleArn;
  }

  async #presigned(object: CacheObject, direction: CacheDirection, signal: AbortSignal): Promise<CacheAccess> {
    const credentials = await this.#credentials(signal);
    const region = await this.#regionWith(credentials, signal);
    const url = objectUrl(this.#address, region, object.name);
    const context = { credentials, region, service: 's3', nowMs: this.#ports.now() };
    const life = object.lifetimeMs / 1000;
    const headers = direction === 'upload' ? uploadHeaders(object.humanKey, this.#encryption) : {};
    const method = direction === 'upload' ? 'PUT' : 'GET';
    return {
      kind: 'presigned',
      url: presignUrl({ method, url, headers }, life, context).href,
      headUrl: presignUrl({ method: 'HEAD', url, headers: {} }, life, context).href,
      headers,
    };
  }

  async #direct(
    object: CacheObject,
    direction: CacheDirection,
    roleArn: string,
    signal: AbortSignal,
  ): Promise<CacheAccess> {
    const url = s3ObjectUrl(object.name, {
      address: this.#address,
      region: this.#settings.bucketLocation,
      dualStack: this.#settings.dualStack,
      encryption: this.#encryption,
    });
    const scope = {
      region: this.#settings.bucketLocation || defaultRegion,
      bucket: this.#address.bucket,
      object: s3ObjectName(object.name),
      direction,
      encryption: this.#encryption,
      isAws: this.#address.endpoint === undefined,
    };
    try {
      const credentials = await this.#credentials(signal);
      const session = await this.#sessions.assume(
        { roleArn, scope, lifetimeMs: object.lifetimeMs },
        credentials,
        signal,
      );
      return { kind: 'direct', url, environment: environmentOf(session), problem: undefined };
    } catch (error) {
      if (signal.aborted || error instanceof AbortReason) throw error;
      if (!(error instanceof ExternalDependencyError || error instanceof ConfigError)) throw error;
      return { kind: 'direct', url, environment: {}, problem: errorMessage(error) };
    }
  }

  async #regionWith(credentials: AwsCredentials, signal: AbortSignal): Promise<string> {
    const { http, log, now } = this.#ports;
    if (this.#region !== undefined) return this.#region;
    if (now() < this.#regionGuessedUntilMs) return defaultRegion;
    this.#region = await detectRegion({ address: this.#address, credentials, http, log, nowMs: now() }, signal);
    if (this.#region === undefined) this.#regionGuessedUntilMs = now() + askRegionAgainMs;
    return this.#region ?? defaultRegion;
  }
}

function credentialsOf(settings: S3Settings, ports: CacheStorePorts): (signal: AbortSignal) => Promise<AwsCredentials> {
  const { accessKey, secretKey, sessionToken, authenticationType, serverAddress, bucketLocation } = settings;
  const isStatic =
    authenticationType.toLowerCase() === 'access-key' ||
    (authenticationType === '' && serverAddress !== '' && accessKey !== '' && secretKey !== '');
  if (!isStatic) {
    const region = bucketLocation || ports.environment['AWS_REGION'] || defaultRegion;
    return keepCredentials((signal) => findAwsCredentials(region, ports, signal), ports.now);
  }
  if (accessKey === '' || secretKey === '') {
    throw new ConfigError('AuthenticationType is "access-key", but AccessKey or SecretKey is empty');
  }
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey, sessionToken: sessionToken || undefined };
  return async () => await Promise.resolve(credentials);
}

function uploadHeaders(humanKey: string, encryption: S3Encryption | undefined): Readonly<Record<string, string>> {
  return { 'x-amz-meta-cachekey': headerText(humanKey), ...encryptionHeaders(encryption) };
}

function environmentOf(session: AwsCredentials): Readonly<Record<string, string>> {
  return {
    AWS_ACCESS_KEY_ID: session.accessKeyId,
    AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
    AWS_SESSION_TOKEN: session.sessionToken ?? '',
    AWS_PROFILE: '',
  };
}
