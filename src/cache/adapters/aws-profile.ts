import { ConfigError } from '../../lib/errors.ts';
import { fromInstance } from './aws-instance.ts';
import { fromContainer, fromEnvironment, homeFile, withTokenFile } from './aws-sources.ts';
import { assumeRole } from './aws-sts.ts';
import type { ServicePorts } from './service-ports.ts';
import type { AwsCredentials } from './sigv4.ts';

type Profiles = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * The credentials of a profile of `~/.aws/credentials` and `~/.aws/config` (or the files that AWS_SHARED_CREDENTIALS_FILE
 * and AWS_CONFIG_FILE name): keys, a role over another profile, or a role with a token file.
 * `undefined` = no such profile, or it holds none.
 */
export async function fromProfile(
  name: string,
  region: string,
  ports: ServicePorts,
  signal: AbortSignal,
): Promise<AwsCredentials | undefined> {
  return await resolve(name, await readProfiles(ports), new Set(), { region, ports, signal });
}

interface Resolution {
  readonly region: string;
  readonly ports: ServicePorts;
  readonly signal: AbortSignal;
}

async function resolve(
  name: string,
  profiles: Profiles,
  seen: Set<string>,
  resolution: Resolution,
): Promise<AwsCredentials | undefined> {
  const profile = profiles[name];
  if (profile === undefined) return undefined;
  if (seen.has(name)) throw new ConfigError(`the AWS profile ${name} names itself as its source`);
  seen.add(name);
  const role = profile['role_arn'] ?? '';
  if (role !== '') return await withRole(name, profile, profiles, seen, resolution);
  const accessKeyId = profile['aws_access_key_id'] ?? '';
  const secretAccessKey = profile['aws_secret_access_key'] ?? '';
  if (accessKeyId !== '' && secretAccessKey !== '') {
    return { accessKeyId, secretAccessKey, sessionToken: profile['aws_session_token'] || undefined };
  }
  return undefined;
}

async function withRole(
  name: string,
  profile: Readonly<Record<string, string>>,
  profiles: Profiles,
  seen: Set<string>,
  resolution: Resolution,
): Promise<AwsCredentials> {
  const { region, ports, signal } = resolution;
  const roleArn = profile['role_arn'] ?? '';
  const sessionName = profile['role_session_name'] || `millrace-${ports.randomHex(8)}`;
  const tokenFile = profile['web_identity_token_file'] ?? '';
  if (tokenFile !== '') return await withTokenFile(tokenFile, roleArn, sessionName, region, ports, signal);
  const source = await sourceOf(name, profile, profiles, seen, resolution);
  const externalId = profile['external_id'];
  const role = { roleArn, sessionName, durationSeconds: 3600, ...(externalId === undefined ? {} : { externalId }) };
  return await assumeRole(role, source, { ...ports, region }, signal);
}

async function sourceOf(
  name: string,
  profile: Readonly<Record<string, string>>,
  profiles: Profiles,
  seen: Set<string>,
  resolution: Resolution,
): Promise<AwsCredentials> {
  const { ports, signal } = resolution;
  const sourceProfile = profile['source_profile'] ?? '';
  const keys = { ...profiles[sourceProfile], role_arn: '' };
  // A profile may be its own source: its keys take on its role.
  const found =
    sourceProfile === name
      ? await resolve(name, { [name]: keys }, new Set(), resolution)
      : sourceProfile === ''
        ? await fromService(profile['credential_source'] ?? '', ports, signal)
        : await resolve(sourceProfile, profiles, seen, resolution);
  if (found !== undefined) return found;
  throw new ConfigError(`the AWS profile ${name} has a role, but no credentials to take it on with`, {
    hint: 'Set source_profile or credential_source.',
  });
}

async function fromService(
  source: string,
  ports: ServicePorts,
  signal: AbortSignal,
): Promise<AwsCredentials | undefined> {
  switch (source) {
    case 'Environment':
      return fromEnvironment(ports.environment);
    case 'EcsContainer':
      return await fromContainer(ports, signal);
    case 'Ec2InstanceMetadata':
      return await fromInstance(ports, signal);
    default:
      return undefined;
  }
}

/** Keys of the credentials file go before those of the config file. */
async function readProfiles({ environment, readText }: ServicePorts): Promise<Profiles> {
  const credentials = environment['AWS_SHARED_CREDENTIALS_FILE'] || homeFile(environment, '.aws', 'credentials');
  const config = environment['AWS_CONFIG_FILE'] || homeFile(environment, '.aws', 'config');
  const [first, second] = await Promise.all([readText(credentials), readText(config)]);
  const profiles: Record<string, Record<string, string>> = {};
  for (const text of [second, first]) {
    for (const [section, values] of Object.entries(parseIni(text ?? ''))) {
      const name = section.replace(/^profile\s+/, '');
      profiles[name] = { ...profiles[name], ...values };
    }
  }
  return profiles;
}

function parseIni(text: string): Readonly<Record<string, Record<string, string>>> {
  const sections: Record<string, Record<string, string>> = {};
  let current: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const section = /^\s*\[([^\]]+)\]/.exec(line)?.[1]?.trim();
    if (section !== undefined) {
      current = sections[section] ?? {};
      sections[section] = current;
      continue;
    }
    // Indented lines belong to nested settings.
    const pair = /^([^\s#;=][^=]*)=(.*)$/.exec(line);
    if (pair !== null) current[(pair[1] ?? '').trim().toLowerCase()] = (pair[2] ?? '').trim();
  }
  return sections;
}
