import { join } from 'node:path';
import { ConfigError, ExternalDependencyError } from '../../lib/errors.ts';
import { assumeRoleWithToken } from './aws-sts.ts';
import type { ServicePorts } from './service-ports.ts';
import type { AwsCredentials } from './sigv4.ts';
import { askStore } from './store-request.ts';

/** Keys in the environment. */
export function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): AwsCredentials | undefined {
  const accessKeyId = environment['AWS_ACCESS_KEY_ID'] || environment['AWS_ACCESS_KEY'] || '';
  const secretAccessKey = environment['AWS_SECRET_ACCESS_KEY'] || environment['AWS_SECRET_KEY'] || '';
  if (accessKeyId === '' || secretAccessKey === '') return undefined;
  return { accessKeyId, secretAccessKey, sessionToken: environment['AWS_SESSION_TOKEN'] || undefined };
}

/** A role taken on with a token from a file. */
export async function withTokenFile(
  file: string,
  roleArn: string,
  sessionName: string,
  region: string,
  ports: ServicePorts,
  signal: AbortSignal,
): Promise<AwsCredentials> {
  const token = await ports.readText(file);
  if (token === undefined) throw new ConfigError(`the web identity token file ${file} does not exist`);
  const role = { roleArn, sessionName, durationSeconds: 3600 };
  return await assumeRoleWithToken(role, token.trim(), { ...ports, region }, signal);
}

const containerOrigin = 'http://169.254.170.2';

/** The service of ECS tasks and EKS pods. */
export async function fromContainer(ports: ServicePorts, signal: AbortSignal): Promise<AwsCredentials | undefined> {
  const { environment } = ports;
  const relative = environment['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'] ?? '';
  const full = environment['AWS_CONTAINER_CREDENTIALS_FULL_URI'] ?? '';
  const text = relative === '' ? full : `${containerOrigin}${relative}`;
  if (text === '') return undefined;
  const url = URL.parse(text);
  if (url === null) throw new ConfigError('AWS_CONTAINER_CREDENTIALS_FULL_URI is no URL');
  const request = { method: 'GET', url, headers: await containerAuthorization(ports), timeoutMs: 10_000 };
  const what = 'ask the container for AWS credentials';
  return parseServiceCredentials(await askStore(ports.localHttp, request, { what }, signal), what);
}

async function containerAuthorization({
  environment,
  readText,
}: ServicePorts): Promise<Readonly<Record<string, string>>> {
  const file = environment['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'] ?? '';
  const token = file === '' ? environment['AWS_CONTAINER_AUTHORIZATION_TOKEN'] : await readText(file);
  return token === undefined || token === '' ? {} : { Authorization: token.trim() };
}

/** The JSON that container and instance services answer. */
export function parseServiceCredentials(text: string, what: string): AwsCredentials {
  const answer = parseObject(text);
  const field = (name: string): string => (typeof answer[name] === 'string' ? answer[name] : '');
  const expiresAtMs = Date.parse(field('Expiration'));
  if (field('AccessKeyId') === '' || field('SecretAccessKey') === '') {
    throw new ExternalDependencyError(`cannot ${what}: the answer holds no credentials`);
  }
  return {
    accessKeyId: field('AccessKeyId'),
    secretAccessKey: field('SecretAccessKey'),
    sessionToken: field('Token') || undefined,
    expiresAtMs: Number.isNaN(expiresAtMs) ? undefined : expiresAtMs,
  };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** Folder of the account that runs this process. */
export function homeFile(environment: ServicePorts['environment'], ...parts: readonly string[]): string {
  return join(environment['HOME'] || environment['USERPROFILE'] || '/', ...parts);
}
