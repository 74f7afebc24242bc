import { createHash, createHmac } from 'node:crypto';

/** Keys of one identity at AWS or a service that signs like it. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** Wall clock; undefined = they do not expire. */
  readonly expiresAtMs?: number | undefined;
}

export interface SigningContext {
  readonly credentials: AwsCredentials;
  readonly region: string;
  readonly service: string;
  readonly nowMs: number;
}

export interface SignableRequest {
  readonly method: string;
  /** Its path is already encoded (`encodePath`). */
  readonly url: URL;
  /** Covered by the signature; the host is added. */
  readonly headers: Readonly<Record<string, string>>;
}

export const unsignedPayload = 'UNSIGNED-PAYLOAD';
export const emptyPayloadHash = createHash('sha256').digest('hex');

/** Longest life of a signed URL that the scheme allows. */
export const longestLifeSeconds = 604_800;

/**
 * A URL that carries its signature (signature V4 in the query). The headers have to be sent with exactly these values.
 * @param lifeSeconds cut to a week
 */
export function presignUrl(request: SignableRequest, lifeSeconds: number, context: SigningContext): URL {
  const headers = canonicalHeaders(request);
  const { credentials } = context;
  const life = Math.max(1, Math.min(longestLifeSeconds, Math.floor(lifeSeconds)));
  const parameters: [string, string][] = [
    ...request.url.searchParams.entries(),
    ['X-Amz-Algorithm', algorithm],
    ['X-Amz-Credential', `${credentials.accessKeyId}/${scopeOf(context)}`],
    ['X-Amz-Date', compactDate(context.nowMs)],
    ['X-Amz-Expires', String(life)],
    ['X-Amz-SignedHeaders', headers.names],
    ...(credentials.sessionToken ? [['X-Amz-Security-Token', credentials.sessionToken] as [string, string]] : []),
  ];
  const query = canonicalQuery(parameters);
  const signature = sign(request, query, headers, unsignedPayload, context);
  const url = new URL(request.url);
  url.search = `${query}&X-Amz-Signature=${signature}`;
  return url;
}

/**
 * The headers of a request with its signature (signature V4 in `Authorization`).
 * @param payloadHash SHA-256 of the body in hex, or `unsignedPayload`
 */
export function signHeaders(
  request: SignableRequest,
  payloadHash: string,
  context: SigningContext,
): Readonly<Record<string, string>> {
  const { credentials } = context;
  const own: Record<string, string> = {
    ...request.headers,
    'x-amz-date': compactDate(context.nowMs),
    ...(credentials.sessionToken ? { 'x-amz-security-token': credentials.sessionToken } : {}),
    ...(context.service === 's3' ? { 'x-amz-content-sha256': payloadHash } : {}),
  };
  const headers = canonicalHeaders({ ...request, headers: own });
  const query = canonicalQuery([...request.url.searchParams.entries()]);
  const signature = sign(request, query, headers, payloadHash, context);
  const credential = `${credentials.accessKeyId}/${scopeOf(context)}`;
  return {
    ...own,
    Authorization: `${algorithm} Credential=${credential}, SignedHeaders=${headers.names}, Signature=${signature}`,
  };
}

/** Everything but unreserved characters in percent form, as signatures want it. */
export function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** An object's name as the path of a URL, without a leading slash. */
export function encodePath(name: string): string {
  return name.split('/').map(encodeStrictly).join('/');
}

const algorithm = 'AWS4-HMAC-SHA256';

function canonicalHeaders({ url, headers }: SignableRequest): { readonly names: string; readonly lines: string } {
  const lowered = Object.entries({ ...headers, host: url.host }).map(
    ([name, value]) => [name.toLowerCase(), value.trim().replace(/ +/g, ' ')] as const,
  );
  lowered.sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    names: lowered.map(([name]) => name).join(';'),
    lines: lowered.map(([name, value]) => `${name}:${value}\n`).join(''),
  };
}

function canonicalQuery(parameters: readonly (readonly [string, string])[]): string {
  return parameters
    .map(([name, value]) => `${encodeStrictly(name)}=${encodeStrictly(value)}`)
    .sort()
    .join('&');
}

function sign(
  { method, url }: SignableRequest,
  query: string,
  headers: { readonly names: string; readonly lines: string },
  payloadHash: string,
  context: SigningContext,
): string {
  const path = url.pathname === '' ? '/' : url.pathname;
  const canonical = [method, path, query, headers.lines, headers.names, payloadHash].join('\n');
  const toSign = [algorithm, compactDate(context.nowMs), scopeOf(context), sha256(canonical)].join('\n');
  let key: Buffer | string = `AWS4${context.credentials.secretAccessKey}`;
  for (const part of [shortDate(context.nowMs), context.region, context.service, 'aws4_request']) key = hmac(key, part);
  return hmac(key, toSign).toString('hex');
}

function scopeOf({ nowMs, region, service }: SigningContext): string {
  return `${shortDate(nowMs)}/${region}/${service}/aws4_request`;
}

/** `20260102T030405Z` */
export function compactDate(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

function shortDate(nowMs: number): string {
  return compactDate(nowMs).slice(0, 8);
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
