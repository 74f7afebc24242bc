import { encodePath } from './sigv4.ts';

export interface GcsUrlRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT';
  /** `https://storage.googleapis.com` */
  readonly origin: string;
  readonly bucket: string;
  readonly object: string;
  readonly contentType: string;
  /** Sent exactly like this with the request; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresAtMs: number;
}

/** RSA-SHA256 over a text by a service account. */
export interface GcsSigner {
  readonly email: string;
  /** @returns the signature in base64. */
  sign(text: string, signal: AbortSignal): Promise<string>;
}

/** A signed URL of scheme V2, which may live longer than a week (spec cache-artifacts.md §11.2). */
export async function gcsSignedUrl(request: GcsUrlRequest, signer: GcsSigner, signal: AbortSignal): Promise<string> {
  const path = `/${encodePath(request.bucket)}/${encodePath(request.object)}`;
  const expires = String(Math.floor(request.expiresAtMs / 1000));
  const signature = await signer.sign(gcsTextToSign(request, path, expires), signal);
  const query = [
    `Expires=${expires}`,
    `GoogleAccessId=${encodeURIComponent(signer.email)}`,
    `Signature=${encodeURIComponent(signature)}`,
  ];
  return `${request.origin}${path}?${query.join('&')}`;
}

function gcsTextToSign({ method, contentType, headers }: GcsUrlRequest, path: string, expires: string): string {
  const lines = Object.entries(headers)
    .map(([name, value]) => `${name.toLowerCase()}:${value.trim()}\n`)
    .sort()
    .join('');
  return `${method}\n\n${contentType}\n${expires}\n${lines}${path}`;
}
