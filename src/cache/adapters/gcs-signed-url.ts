import { compactDate, encodePath, encodeStrictly, longestLifeSeconds, sha256, unsignedPayload } from './sigv4.ts';

export interface GcsUrlRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT';
  /** `https://storage.googleapis.com` */
  readonly origin: string;
  readonly bucket: string;
  readonly object: string;
  readonly contentType: string;
  /** Sent exactly like this with the request; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly nowMs: number;
  readonly expiresAtMs: number;
}

/** RSA-SHA256 over a text by a service account. */
export interface GcsSigner {
  readonly email: string;
  /** @returns the signature in base64. */
  sign(text: string, signal: AbortSignal): Promise<string>;
}

/**
 * A signed URL (spec cache-artifacts.md §11.2): scheme V4, which Google recommends, where it may live long enough;
 * else the older V2.
 */
export async function gcsSignedUrl(request: GcsUrlRequest, signer: GcsSigner, signal: AbortSignal): Promise<string> {
  const lifeSeconds = Math.ceil((request.expiresAtMs - request.nowMs) / 1000);
  return lifeSeconds <= longestLifeSeconds
    ? await signV4(request, lifeSeconds, signer, signal)
    : await signV2(request, signer, signal);
}

async function signV4(
  { method, origin, bucket, object, contentType, headers, nowMs }: GcsUrlRequest,
  lifeSeconds: number,
  signer: GcsSigner,
  signal: AbortSignal,
): Promise<string> {
  const path = pathOf(bucket, object);
  const date = compactDate(nowMs);
  const scope = `${date.slice(0, 8)}/auto/storage/goog4_request`;
  const signed = Object.entries({
    ...headers,
    host: new URL(origin).host,
    ...(contentType === '' ? {} : { 'content-type': contentType }),
  })
    .map(([name, value]) => [name.toLowerCase(), value.trim().replace(/ +/g, ' ')] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const signedHeaders = signed.map(([name]) => name).join(';');
  const query = [
    ['X-Goog-Algorithm', v4Algorithm],
    ['X-Goog-Credential', `${signer.email}/${scope}`],
    ['X-Goog-Date', date],
    ['X-Goog-Expires', String(Math.max(1, lifeSeconds))],
    ['X-Goog-SignedHeaders', signedHeaders],
  ]
    .map(([name = '', value = '']) => `${name}=${encodeStrictly(value)}`)
    .join('&');
  const lines = signed.map(([name, value]) => `${name}:${value}\n`).join('');
  const canonical = [method, path, query, lines, signedHeaders, unsignedPayload].join('\n');
  const signature = await signer.sign([v4Algorithm, date, scope, sha256(canonical)].join('\n'), signal);
  return `${origin}${path}?${query}&X-Goog-Signature=${Buffer.from(signature, 'base64').toString('hex')}`;
}

const v4Algorithm = 'GOOG4-RSA-SHA256';

async function signV2(request: GcsUrlRequest, signer: GcsSigner, signal: AbortSignal): Promise<string> {
  const path = pathOf(request.bucket, request.object);
  const expires = String(Math.floor(request.expiresAtMs / 1000));
  const lines = Object.entries(request.headers)
    .map(([name, value]) => `${name.toLowerCase()}:${value.trim()}\n`)
    .sort()
    .join('');
  const text = `${request.method}\n\n${request.contentType}\n${expires}\n${lines}${path}`;
  const signature = await signer.sign(text, signal);
  const query = [
    `Expires=${expires}`,
    `GoogleAccessId=${encodeURIComponent(signer.email)}`,
    `Signature=${encodeURIComponent(signature)}`,
  ];
  return `${request.origin}${path}?${query.join('&')}`;
}

function pathOf(bucket: string, object: string): string {
  return `/${encodePath(bucket)}/${encodePath(object)}`;
}
