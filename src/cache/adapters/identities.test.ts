import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttpClient } from '../../platform/http-client.ts';
import { createTlsTrust } from '../../platform/tls-trust.ts';
import { findAwsCredentials, keepCredentials } from './aws-credentials.ts';
import { azureTokens } from './azure-identity.ts';
import { findGoogleIdentity, tokensOf } from './gcs-credentials.ts';
import type { ServicePorts } from './service-ports.ts';

const signal = new AbortController().signal;

/** A service of this machine: what it answers by `METHOD path`, and what it was asked. */
interface FakeService {
  readonly origin: string;
  readonly answers: Record<string, (request: IncomingMessage, body: string) => string | undefined>;
  readonly asked: string[];
}

let server: Server;
let service: FakeService;
beforeEach(async () => {
  const answers: FakeService['answers'] = {};
  const asked: string[] = [];
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const name = `${request.method} ${request.url?.split('?')[0]}`;
      asked.push(name);
      const text = answers[name]?.(request, body);
      response.writeHead(text === undefined ? 404 : 200).end(text ?? 'nothing here');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  service = { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, answers, asked };
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function portsWith(
  environment: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
): ServicePorts {
  const trust = createTlsTrust({ environment: {}, reportProblem: () => {} });
  const tlsFiles = { caFile: '', certFile: '', keyFile: '' };
  const http = createHttpClient({ trust, tlsFiles, proxyFor: () => undefined, connectionMaxAgeMs: 0 });
  return {
    http,
    localHttp: http,
    environment: { HOME: '/home/runner', ...environment },
    now: () => Date.UTC(2026, 0, 2),
    readText: async (path) => await Promise.resolve(files[path]),
    randomHex: (byteCount) => 'ab'.repeat(byteCount),
  };
}

const temporary = (name: string): string =>
  JSON.stringify({ AccessKeyId: name, SecretAccessKey: 's', Token: 't', Expiration: '2026-01-02T06:00:00Z' });
const assumed = (name: string): string =>
  `<R><Credentials><AccessKeyId>${name}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>` +
  '<SessionToken>t</SessionToken><Expiration>2026-01-02T06:00:00Z</Expiration></Credentials></R>';

describe('who the manager is at AWS', () => {
  const find = (environment: Record<string, string>, files: Record<string, string> = {}) =>
    findAwsCredentials('eu-west-1', portsWith({ AWS_EC2_METADATA_DISABLED: 'true', ...environment }, files), signal);

  it('the environment says so first', async () => {
    const keys = { AWS_ACCESS_KEY_ID: 'env', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 't' };
    const files = {
      '/home/runner/.aws/credentials': '[default]\naws_access_key_id = file\naws_secret_access_key = s\n',
    };
    expect(await find(keys, files)).toMatchObject({ accessKeyId: 'env', sessionToken: 't' });
    expect(await find({}, files)).toMatchObject({ accessKeyId: 'file' });
  });

  it('a named profile may have a role over another profile', async () => {
    let asked = '';
    service.answers['POST /'] = (request, body) => {
      asked = `${request.headers.authorization?.slice(0, 40)} ${body}`;
      return assumed('of the role');
    };
    const files = {
      '/home/runner/.aws/credentials': '[base]\naws_access_key_id=BASEKEY\naws_secret_access_key=s\n',
      '/home/runner/.aws/config':
        '[profile ci]\nrole_arn = arn:aws:iam::1:role/ci\nsource_profile = base\nexternal_id = ext\n',
    };
    const found = await find({ AWS_PROFILE: 'ci', AWS_ENDPOINT_URL_STS: service.origin }, files);
    expect(found).toEqual({
      accessKeyId: 'of the role',
      secretAccessKey: 's',
      sessionToken: 't',
      expiresAtMs: Date.UTC(2026, 0, 2, 6),
    });
    expect(asked).toContain('AWS4-HMAC-SHA256 Credential=BASEKEY');
    expect(asked).toContain('RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fci');
    expect(asked).toContain('ExternalId=ext');
  });

  it('a Kubernetes service account', async () => {
    service.answers['POST /'] = (_request, body) =>
      new URLSearchParams(body).get('WebIdentityToken') === 'jwt' ? assumed('irsa') : undefined;
    const environment = {
      AWS_WEB_IDENTITY_TOKEN_FILE: '/token',
      AWS_ROLE_ARN: 'arn:aws:iam::1:role/pod',
      AWS_ENDPOINT_URL_STS: service.origin,
    };
    expect(await find(environment, { '/token': 'jwt\n' })).toMatchObject({ accessKeyId: 'irsa' });
    await expect(find(environment)).rejects.toThrow('the web identity token file /token does not exist');
  });

  it('a task or pod of Amazon’s', async () => {
    service.answers['GET /v2/creds'] = ({ headers }) =>
      headers.authorization === 'pod-token' ? temporary('task') : undefined;
    const environment = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${service.origin}/v2/creds`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/pod',
    };
    expect(await find(environment, { '/pod': 'pod-token' })).toMatchObject({ accessKeyId: 'task', sessionToken: 't' });
  });

  it('an instance, asked with a session token', async () => {
    const role = '/latest/meta-data/iam/security-credentials/';
    service.answers['PUT /latest/api/token'] = ({ headers }) =>
      headers['x-aws-ec2-metadata-token-ttl-seconds'] === undefined ? undefined : 'session';
    const knows = ({ headers }: IncomingMessage): boolean => headers['x-aws-ec2-metadata-token'] === 'session';
    service.answers[`GET ${role}`] = (request) => (knows(request) ? 'runner-role\n' : undefined);
    service.answers[`GET ${role}runner-role`] = (request) => (knows(request) ? temporary('instance') : undefined);
    const environment = { AWS_EC2_METADATA_DISABLED: '', AWS_EC2_METADATA_SERVICE_ENDPOINT: service.origin };
    expect(await find(environment)).toMatchObject({ accessKeyId: 'instance' });
  });

  it('nobody: the error says what can be done', async () => {
    await expect(find({})).rejects.toMatchObject({
      message: 'no AWS credentials were found for the cache',
      hint: expect.stringContaining('AccessKey and SecretKey'),
    });
  });

  it('is asked anew only shortly before the keys expire', async () => {
    let now = 0;
    let asked = 0;
    const credentials = keepCredentials(
      async () => await Promise.resolve({ accessKeyId: String(++asked), secretAccessKey: 's', expiresAtMs: 3_600_000 }),
      () => now,
    );
    const together = await Promise.all([credentials(signal), credentials(signal)]);
    expect(together.map(({ accessKeyId }) => accessKeyId)).toEqual(['1', '1']);
    now = 3_000_000;
    expect((await credentials(signal)).accessKeyId).toBe('1');
    now = 3_400_000;
    expect((await credentials(signal)).accessKeyId).toBe('2');
  });
});

describe('who the manager is at Google', () => {
  it('a key file of a service account, and no other', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const file = (type: string): Record<string, string> => ({
      '/key.json': JSON.stringify({ type, client_email: 'a@b', private_key: key }),
    });
    const environment = { GOOGLE_APPLICATION_CREDENTIALS: '/key.json' };
    const identity = await findGoogleIdentity(portsWith(environment, file('service_account')), signal);
    expect(identity).toMatchObject({ kind: 'key', account: { email: 'a@b' } });
    const other = findGoogleIdentity(portsWith(environment, file('authorized_user')), signal);
    await expect(other).rejects.toThrow('unsupported credentials file type: authorized_user');
  });

  it('the account of the machine', async () => {
    const account = '/computeMetadata/v1/instance/service-accounts/default';
    const flavoured = ({ headers }: IncomingMessage, text: string): string | undefined =>
      headers['metadata-flavor'] === 'Google' ? text : undefined;
    service.answers[`GET ${account}/email`] = (request) => flavoured(request, 'vm@project\n');
    service.answers[`GET ${account}/token`] = (request) =>
      flavoured(request, '{"access_token":"at","expires_in":3600}');
    const ports = portsWith({ GCE_METADATA_HOST: service.origin.replace('http://', '') });
    const identity = await findGoogleIdentity(ports, signal);
    expect(identity).toEqual({ kind: 'metadata', email: 'vm@project' });
    const tokens = tokensOf(identity, 'googleapis.com', ports);
    expect([await tokens(signal), await tokens(signal)]).toEqual(['at', 'at']);
    expect(service.asked.filter((name) => name.endsWith('/token'))).toHaveLength(1);
  });
});

describe('who the manager is at Azure', () => {
  const token = '{"access_token":"at","expires_in":"3600"}';

  it('a workload identity', async () => {
    service.answers['POST /tenant/oauth2/v2.0/token'] = (_request, body) =>
      new URLSearchParams(body).get('client_assertion') === 'jwt' ? token : undefined;
    const environment = {
      AZURE_AUTHORITY_HOST: service.origin,
      AZURE_TENANT_ID: 'tenant',
      AZURE_CLIENT_ID: 'client',
      AZURE_FEDERATED_TOKEN_FILE: '/jwt',
    };
    expect(await azureTokens(portsWith(environment, { '/jwt': 'jwt' }))(signal)).toBe('at');
  });

  it('a managed identity, or nobody', async () => {
    const path = 'GET /metadata/identity/oauth2/token';
    const ports = portsWith({ AZURE_POD_IDENTITY_AUTHORITY_HOST: service.origin });
    service.answers[path] = ({ headers, url = '' }) =>
      headers['metadata'] === 'true' && url.includes('storage.azure.com') ? token : undefined;
    expect(await azureTokens(ports)(signal)).toBe('at');
    service.answers[path] = () => undefined;
    await expect(azureTokens(ports)(signal)).rejects.toThrow('no Azure credentials were found for the cache');
  });
});
