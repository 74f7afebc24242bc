import { AbortReason } from '../../lib/abort.ts';
import { parseServiceCredentials } from './aws-sources.ts';
import type { ServicePorts } from './service-ports.ts';
import type { AwsCredentials } from './sigv4.ts';
import { askStore, sendToStore } from './store-request.ts';

const limitMs = 2_000;
const tokenLifeSeconds = 300;

/**
 * The role of an EC2 instance, from its metadata service: version 2 with a session token, version 1 where that is not
 * known. `undefined` = there is no such service, or the instance has no role.
 */
export async function fromInstance(ports: ServicePorts, signal: AbortSignal): Promise<AwsCredentials | undefined> {
  const { environment, localHttp } = ports;
  if ((environment['AWS_EC2_METADATA_DISABLED'] ?? '').toLowerCase() === 'true') return undefined;
  const origin = environment['AWS_EC2_METADATA_SERVICE_ENDPOINT'] || 'http://169.254.169.254';
  const at = (path: string): URL => new URL(`/latest/${path}`, origin);
  const token = await sessionToken(at('api/token'), ports, signal);
  if (token === undefined) return undefined;
  const headers: Record<string, string> = token === '' ? {} : { 'x-aws-ec2-metadata-token': token };
  const roles = at('meta-data/iam/security-credentials/');
  const purpose = { what: 'ask the instance for its role' };
  const list = await sendToStore(
    localHttp,
    { method: 'GET', url: roles, headers, timeoutMs: limitMs },
    purpose,
    signal,
  );
  list.discard();
  if (list.status === 404) return undefined;
  const names = await askStore(localHttp, { method: 'GET', url: roles, headers, timeoutMs: limitMs }, purpose, signal);
  const role = names.trim().split('\n', 1)[0] ?? '';
  if (role === '') return undefined;
  const what = `ask the instance for the credentials of its role ${role}`;
  const request = { method: 'GET', url: new URL(encodeURIComponent(role), roles), headers, timeoutMs: limitMs };
  return parseServiceCredentials(await askStore(localHttp, request, { what }, signal), what);
}

/** Empty = the service knows no tokens; undefined = there is no service. */
async function sessionToken(url: URL, { localHttp }: ServicePorts, signal: AbortSignal): Promise<string | undefined> {
  const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': String(tokenLifeSeconds) };
  try {
    const response = await localHttp.send({ method: 'PUT', url, headers, timeoutMs: limitMs }, signal);
    if (response.status !== 200) {
      response.discard();
      return '';
    }
    let text = '';
    for await (const piece of response.body) text += String(piece);
    return text.trim();
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    return undefined;
  }
}
