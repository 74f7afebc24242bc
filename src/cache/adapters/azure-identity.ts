import { AbortReason } from '../../lib/abort.ts';
import { ConfigError, errorMessage } from '../../lib/errors.ts';
import { type AccessToken, keepToken, parseToken } from './access-token.ts';
import type { ServicePorts } from './service-ports.ts';
import { askStore } from './store-request.ts';

const resource = 'https://storage.azure.com/';
const limitMs = 30_000;

/**
 * Access tokens of this process for Azure's storage: client secret, workload identity, managed identity, in the order
 * of Azure's own libraries. @throws ConfigError where none of them is there.
 */
export function azureTokens(ports: ServicePorts): (signal: AbortSignal) => Promise<string> {
  return keepToken(ports.now, async (signal) => {
    const { environment } = ports;
    const has = (...names: readonly string[]): boolean => names.every((name) => (environment[name] ?? '') !== '');
    if (has('AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_CLIENT_SECRET')) return await withSecret(ports, signal);
    if (has('AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_FEDERATED_TOKEN_FILE')) return await withFile(ports, signal);
    return has('IDENTITY_ENDPOINT', 'IDENTITY_HEADER')
      ? await fromAppService(ports, signal)
      : await fromMachine(ports, signal);
  });
}

async function withSecret(ports: ServicePorts, signal: AbortSignal): Promise<AccessToken> {
  return await exchange({ client_secret: ports.environment['AZURE_CLIENT_SECRET'] ?? '' }, ports, signal);
}

async function withFile(ports: ServicePorts, signal: AbortSignal): Promise<AccessToken> {
  const file = ports.environment['AZURE_FEDERATED_TOKEN_FILE'] ?? '';
  const token = await ports.readText(file);
  if (token === undefined) throw new ConfigError(`the workload identity token file ${file} does not exist`);
  const fields = {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: token.trim(),
  };
  return await exchange(fields, ports, signal);
}

async function exchange(
  proof: Readonly<Record<string, string>>,
  { http, environment, now }: ServicePorts,
  signal: AbortSignal,
): Promise<AccessToken> {
  const authority = environment['AZURE_AUTHORITY_HOST'] || 'https://login.microsoftonline.com/';
  const url = new URL(`${encodeURIComponent(environment['AZURE_TENANT_ID'] ?? '')}/oauth2/v2.0/token`, authority);
  const clientId = environment['AZURE_CLIENT_ID'] ?? '';
  const fields = { client_id: clientId, scope: `${resource}.default`, grant_type: 'client_credentials', ...proof };
  const what = `get an Azure access token for ${clientId}`;
  const request = {
    method: 'POST',
    url,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
    timeoutMs: limitMs,
  };
  return parseToken(await askStore(http, request, { what }, signal), what, now());
}

async function fromAppService(ports: ServicePorts, signal: AbortSignal): Promise<AccessToken> {
  const url = new URL(ports.environment['IDENTITY_ENDPOINT'] ?? '');
  const headers = { 'X-IDENTITY-HEADER': ports.environment['IDENTITY_HEADER'] ?? '' };
  return await fromIdentityService(url, '2019-08-01', headers, ports, signal);
}

async function fromMachine(ports: ServicePorts, signal: AbortSignal): Promise<AccessToken> {
  const origin = ports.environment['AZURE_POD_IDENTITY_AUTHORITY_HOST'] || 'http://169.254.169.254';
  const url = new URL('/metadata/identity/oauth2/token', origin);
  try {
    return await fromIdentityService(url, '2018-02-01', { Metadata: 'true' }, ports, signal);
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    throw new ConfigError(`no Azure credentials were found for the cache: ${errorMessage(error)}`, {
      cause: error,
      hint: 'Set AccountKey in [runners.cache.azure], or give the runner manager an identity.',
    });
  }
}

async function fromIdentityService(
  url: URL,
  version: string,
  headers: Readonly<Record<string, string>>,
  { localHttp, environment, now }: ServicePorts,
  signal: AbortSignal,
): Promise<AccessToken> {
  url.searchParams.set('api-version', version);
  url.searchParams.set('resource', resource);
  const clientId = environment['AZURE_CLIENT_ID'] ?? '';
  if (clientId !== '') url.searchParams.set('client_id', clientId);
  const what = 'ask the machine for an Azure access token';
  const text = await askStore(localHttp, { method: 'GET', url, headers, timeoutMs: 10_000 }, { what }, signal);
  return parseToken(text, what, now());
}
