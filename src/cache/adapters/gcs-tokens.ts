import { createSign } from 'node:crypto';
import * as z from 'zod';
import { ExternalDependencyError } from '../../lib/errors.ts';
import { type AccessToken, keepToken, parseToken } from './access-token.ts';
import type { ServicePorts } from './service-ports.ts';
import { askStore } from './store-request.ts';

export type TokenSource = (signal: AbortSignal) => Promise<string>;

/** Tokens of the account that is attached to this machine. */
export function metadataToken(ports: ServicePorts): TokenSource {
  const host = ports.environment['GCE_METADATA_HOST'] || 'metadata.google.internal';
  const url = new URL('/computeMetadata/v1/instance/service-accounts/default/token', `http://${host}`);
  const what = 'ask the machine for a Google access token';
  return keepToken(ports.now, async (signal) => {
    const request = { method: 'GET', url, headers: { 'Metadata-Flavor': 'Google' }, timeoutMs: 10_000 };
    return parseToken(await askStore(ports.localHttp, request, { what }, signal), what, ports.now());
  });
}

/** Tokens that a service account's key is exchanged for. */
export function serviceAccountToken(
  account: { readonly email: string; readonly privateKey: string },
  universe: string,
  ports: ServicePorts,
): TokenSource {
  const url = new URL(`https://oauth2.${universe}/token`);
  const what = `get an access token for ${account.email}`;
  return keepToken(ports.now, async (signal): Promise<AccessToken> => {
    const issuedAt = Math.floor(ports.now() / 1000);
    const claims = {
      iss: account.email,
      scope: 'https://www.googleapis.com/auth/devstorage.read_write',
      aud: url.href,
      iat: issuedAt,
      exp: issuedAt + 3600,
    };
    const unsigned = `${base64Url({ alg: 'RS256', typ: 'JWT' })}.${base64Url(claims)}`;
    const signature = createSign('RSA-SHA256').update(unsigned).sign(account.privateKey, 'base64url');
    const fields = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: `${unsigned}.${signature}` };
    const request = {
      method: 'POST',
      url,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields).toString(),
      timeoutMs: 30_000,
    };
    return parseToken(await askStore(ports.http, request, { what }, signal), what, ports.now());
  });
}

export interface BlobToSign {
  readonly text: string;
  readonly email: string;
  readonly universe: string;
  readonly token: TokenSource;
}

const answerSchema = z.object({ signedBlob: z.string() });

/** Has Google sign with a key that never leaves it. @returns the signature in base64. */
export async function signBlob(
  { text, email, universe, token }: BlobToSign,
  { http }: ServicePorts,
  signal: AbortSignal,
): Promise<string> {
  const url = new URL(
    `https://iamcredentials.${universe}/v1/projects/-/serviceAccounts/${encodeURIComponent(email)}:signBlob`,
  );
  const what = `have Google sign for ${email}`;
  const hints = { 403: 'the account needs the role Service Account Token Creator on itself' };
  const request = {
    method: 'POST',
    url,
    headers: { Authorization: `Bearer ${await token(signal)}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ payload: Buffer.from(text).toString('base64') }),
    timeoutMs: 30_000,
  };
  const answer = await askStore(http, request, { what, hints }, signal);
  try {
    return answerSchema.parse(JSON.parse(answer)).signedBlob;
  } catch (error) {
    throw new ExternalDependencyError(`cannot ${what}: the answer holds no signature`, { cause: error });
  }
}

function base64Url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
