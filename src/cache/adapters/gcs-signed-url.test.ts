import { createHash, createVerify, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keySigner } from './gcs-credentials.ts';
import { gcsSignedUrl } from './gcs-signed-url.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
const signer = keySigner({ email: 'a@example.com', privateKey: pem });
const signal = new AbortController().signal;
const request = {
  method: 'PUT',
  origin: 'https://storage.googleapis.com',
  bucket: 'bucket',
  object: 'project/42/a key',
  contentType: 'application/octet-stream',
  headers: { 'x-goog-meta-cachekey': 'k', 'x-goog-content-length-range': '0,100' },
  nowMs: Date.UTC(2026, 0, 2, 3, 4, 5),
  expiresAtMs: Date.UTC(2026, 0, 2, 4, 4, 5),
} as const;

function isSigned(text: string, signature: Buffer): boolean {
  return createVerify('RSA-SHA256').update(text).verify(publicKey, signature);
}

describe('signed URLs of Google Cloud Storage', () => {
  it('are of scheme V4 for up to a week', async () => {
    const url = new URL(await gcsSignedUrl(request, signer, signal));
    const query =
      'X-Goog-Algorithm=GOOG4-RSA-SHA256' +
      '&X-Goog-Credential=a%40example.com%2F20260102%2Fauto%2Fstorage%2Fgoog4_request' +
      '&X-Goog-Date=20260102T030405Z&X-Goog-Expires=3600' +
      '&X-Goog-SignedHeaders=content-type%3Bhost%3Bx-goog-content-length-range%3Bx-goog-meta-cachekey';
    expect(
      url.href.startsWith(`https://storage.googleapis.com/bucket/project/42/a%20key?${query}&X-Goog-Signature=`),
    ).toBe(true);
    const canonical = [
      'PUT\n/bucket/project/42/a%20key',
      query,
      'content-type:application/octet-stream\nhost:storage.googleapis.com',
      'x-goog-content-length-range:0,100\nx-goog-meta-cachekey:k\n',
      'content-type;host;x-goog-content-length-range;x-goog-meta-cachekey\nUNSIGNED-PAYLOAD',
    ].join('\n');
    const hash = createHash('sha256').update(canonical).digest('hex');
    const text = `GOOG4-RSA-SHA256\n20260102T030405Z\n20260102/auto/storage/goog4_request\n${hash}`;
    expect(isSigned(text, Buffer.from(url.searchParams.get('X-Goog-Signature') ?? '', 'hex'))).toBe(true);
  });

  it('are of scheme V2 for longer', async () => {
    const expiresAtMs = Date.UTC(2026, 0, 20);
    const url = new URL(await gcsSignedUrl({ ...request, expiresAtMs }, signer, signal));
    expect(url.pathname).toBe('/bucket/project/42/a%20key');
    expect([url.searchParams.get('Expires'), url.searchParams.get('GoogleAccessId')]).toEqual([
      String(expiresAtMs / 1000),
      'a@example.com',
    ]);
    const text =
      `PUT\n\napplication/octet-stream\n${expiresAtMs / 1000}\n` +
      'x-goog-content-length-range:0,100\nx-goog-meta-cachekey:k\n/bucket/project/42/a%20key';
    expect(isSigned(text, Buffer.from(url.searchParams.get('Signature') ?? '', 'base64'))).toBe(true);
  });

  it('cannot be made with a key that is none, and the key is not shown', async () => {
    const bad = keySigner({ email: 'a@example.com', privateKey: 'very-secret' });
    const failure = gcsSignedUrl(request, bad, signal);
    await expect(failure).rejects.toThrow('the private key of a@example.com cannot be used to sign');
    await expect(failure).rejects.not.toThrow('very-secret');
  });
});
