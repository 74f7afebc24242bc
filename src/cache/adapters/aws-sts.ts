import { ExternalDependencyError } from '../../lib/errors.ts';
import type { HttpClient } from '../../platform/http-client.ts';
import { type AwsCredentials, sha256, signHeaders } from './sigv4.ts';
import { askStore } from './store-request.ts';

export interface StsClient {
  readonly http: HttpClient;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly region: string;
  readonly now: () => number;
}

export interface AssumeRole {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly durationSeconds: number;
  /** Narrows the role; absent = all of it. */
  readonly policy?: string;
  readonly externalId?: string;
}

const version = '2011-06-15';
const limitMs = 30_000;

/** Takes on a role with the keys of another identity. @throws ExternalDependencyError */
export async function assumeRole(
  role: AssumeRole,
  credentials: AwsCredentials,
  client: StsClient,
  signal: AbortSignal,
): Promise<AwsCredentials> {
  const body = formText({
    Action: 'AssumeRole',
    Version: version,
    RoleArn: role.roleArn,
    RoleSessionName: role.sessionName,
    DurationSeconds: String(role.durationSeconds),
    ...(role.policy === undefined ? {} : { Policy: role.policy }),
    ...(role.externalId === undefined ? {} : { ExternalId: role.externalId }),
  });
  const url = stsEndpoint(client);
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' };
  const context = { credentials, region: client.region, service: 'sts', nowMs: client.now() };
  const signed = signHeaders({ method: 'POST', url, headers }, sha256(body), context);
  return await ask(url, signed, body, role.roleArn, client, signal);
}

/** Takes on a role with the token of a Kubernetes service account and the like. @throws ExternalDependencyError */
export async function assumeRoleWithToken(
  role: AssumeRole,
  token: string,
  client: StsClient,
  signal: AbortSignal,
): Promise<AwsCredentials> {
  const body = formText({
    Action: 'AssumeRoleWithWebIdentity',
    Version: version,
    RoleArn: role.roleArn,
    RoleSessionName: role.sessionName,
    WebIdentityToken: token,
  });
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' };
  return await ask(stsEndpoint(client), headers, body, role.roleArn, client, signal);
}

async function ask(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  roleArn: string,
  { http }: StsClient,
  signal: AbortSignal,
): Promise<AwsCredentials> {
  const what = `assume role ${roleArn}`;
  const hints = { 403: 'check that its trust policy names the runner manager’s identity' };
  const request = { method: 'POST', url, headers, body, timeoutMs: limitMs };
  return credentialsOf(await askStore(http, request, { what, hints }, signal), what);
}

function credentialsOf(xml: string, what: string): AwsCredentials {
  const element = (name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]?.trim() ?? '';
  const expiresAtMs = Date.parse(element('Expiration'));
  const credentials = {
    accessKeyId: element('AccessKeyId'),
    secretAccessKey: element('SecretAccessKey'),
    sessionToken: element('SessionToken'),
    expiresAtMs: Number.isNaN(expiresAtMs) ? undefined : expiresAtMs,
  };
  if (credentials.accessKeyId !== '' && credentials.secretAccessKey !== '') return credentials;
  throw new ExternalDependencyError(`cannot ${what}: the answer holds no credentials`);
}

/** The region's own endpoint, or the one of the usual environment variables. */
function stsEndpoint({ environment, region }: StsClient): URL {
  const named = environment['AWS_ENDPOINT_URL_STS'] ?? environment['AWS_ENDPOINT_URL'] ?? '';
  if (named !== '') return new URL(named);
  return new URL(`https://sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}/`);
}

function formText(fields: Readonly<Record<string, string>>): string {
  return new URLSearchParams(fields).toString();
}
