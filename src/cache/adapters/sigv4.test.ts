import { describe, expect, it } from 'vitest';
import { emptyPayloadHash, encodePath, longestLifeSeconds, presignUrl, signHeaders } from './sigv4.ts';

/** The example of Amazon's own description of the scheme. */
const example = {
  credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
  region: 'us-east-1',
  service: 's3',
  nowMs: Date.UTC(2013, 4, 24),
};
const bucket = 'https://examplebucket.s3.amazonaws.com';

describe('signature V4', () => {
  it('signs URLs as Amazon’s example does', () => {
    const url = presignUrl({ method: 'GET', url: new URL(`${bucket}/test.txt`), headers: {} }, 86_400, example);
    expect(url.href).toBe(
      `${bucket}/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256` +
        '&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request' +
        '&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host' +
        '&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
    );
  });

  it.each([
    [
      'GET',
      '/test.txt',
      { Range: 'bytes=0-9' },
      emptyPayloadHash,
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
    [
      'PUT',
      '/test%24file.text',
      { Date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
      '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    ],
    ['GET', '/?lifecycle', {}, emptyPayloadHash, 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
    [
      'GET',
      '/?max-keys=2&prefix=J',
      {},
      emptyPayloadHash,
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ],
  ])('signs %s %s as Amazon’s example does', (method, path, headers, hash, signature) => {
    const signed = signHeaders({ method, url: new URL(`${bucket}${path}`), headers }, hash, example);
    expect(signed['Authorization']).toMatch(new RegExp(`, Signature=${signature}$`));
  });

  it('covers headers and the token of temporary keys, and lives a week at most', () => {
    const credentials = { ...example.credentials, sessionToken: 'to/ken' };
    const request = { method: 'PUT', url: new URL(`${bucket}/k`), headers: { 'x-amz-meta-cachekey': 'k' } };
    const url = presignUrl(request, 10 * longestLifeSeconds, { ...example, credentials });
    expect(url.searchParams.get('X-Amz-SignedHeaders')).toBe('host;x-amz-meta-cachekey');
    expect(url.searchParams.get('X-Amz-Security-Token')).toBe('to/ken');
    expect(url.searchParams.get('X-Amz-Expires')).toBe('604800');
  });

  it('writes names of objects as the scheme wants them', () => {
    expect(encodePath("a b/ü!'()*+~-_.%")).toBe('a%20b/%C3%BC%21%27%28%29%2A%2B~-_.%25');
  });
});
