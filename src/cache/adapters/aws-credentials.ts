import { ConfigError } from '../../lib/errors.ts';
import { fromInstance } from './aws-instance.ts';
import { fromProfile } from './aws-profile.ts';
import { fromContainer, fromEnvironment, withTokenFile } from './aws-sources.ts';
import type { ServicePorts } from './service-ports.ts';
import type { AwsCredentials } from './sigv4.ts';

/**
 * The credentials of this process, looked for where AWS's own programs do and in their order (spec cache-artifacts.md
 * §11.1 "Credentials"): environment, web identity, shared files, container service, instance metadata.
 * @throws ConfigError where there are none; ExternalDependencyError when the place that has them cannot be asked.
 */
export async function findAwsCredentials(
  region: string,
  ports: ServicePorts,
  signal: AbortSignal,
): Promise<AwsCredentials> {
  const { environment } = ports;
  const profile = environment['AWS_PROFILE'] ?? '';
  const found =
    (profile === '' ? undefined : await fromProfile(profile, region, ports, signal)) ??
    fromEnvironment(environment) ??
    (await fromWebIdentity(region, ports, signal)) ??
    (await fromProfile('default', region, ports, signal)) ??
    (await fromContainer(ports, signal)) ??
    (await fromInstance(ports, signal));
  if (found !== undefined) return found;
  throw new ConfigError('no AWS credentials were found for the cache', {
    hint:
      'Set AccessKey and SecretKey in [runners.cache.s3], or give the runner manager a role (instance profile, ' +
      'task role, service account) or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
  });
}

/** `find`, asked anew only when what it found is about to expire. */
export function keepCredentials(
  find: (signal: AbortSignal) => Promise<AwsCredentials>,
  now: () => number,
): (signal: AbortSignal) => Promise<AwsCredentials> {
  let known: AwsCredentials | undefined;
  let asked: Promise<AwsCredentials> | undefined;
  const ask = async (signal: AbortSignal): Promise<AwsCredentials> => {
    try {
      known = await find(signal);
      return known;
    } finally {
      asked = undefined;
    }
  };
  return async (signal) => {
    if (known !== undefined && (known.expiresAtMs ?? Number.POSITIVE_INFINITY) > now() + renewBeforeMs) return known;
    if (asked === undefined) {
      asked = ask(signal);
      return await asked;
    }
    // Another job asks already. When it is stopped meanwhile, that is no reason for this one.
    return await asked.catch(async () => await ask(signal));
  };
}

const renewBeforeMs = 5 * 60_000;

async function fromWebIdentity(
  region: string,
  ports: ServicePorts,
  signal: AbortSignal,
): Promise<AwsCredentials | undefined> {
  const { environment } = ports;
  const file = environment['AWS_WEB_IDENTITY_TOKEN_FILE'] ?? '';
  const roleArn = environment['AWS_ROLE_ARN'] ?? '';
  if (file === '' || roleArn === '') return undefined;
  const sessionName = environment['AWS_ROLE_SESSION_NAME'] || `millrace-${ports.randomHex(8)}`;
  return await withTokenFile(file, roleArn, sessionName, region, ports, signal);
}
