import { describe, expect, it } from 'vitest';
import { metadataFromHeaders, parseCacheMetadata } from './cache-metadata.ts';

describe('cache metadata', () => {
  it('is found in the headers of every store', () => {
    const headers = {
      'x-amz-meta-cachekey': 'k',
      'X-Goog-Meta-Other': 'o',
      'x-ms-meta-with-dash': 'd',
      'x-amz-id': 'no',
      'content-type': 'no',
      'meta-x': 'no',
    };
    expect(metadataFromHeaders(headers)).toEqual({ cachekey: 'k', other: 'o', 'with-dash': 'd' });
  });

  it('is an object of texts, or nothing', () => {
    expect(parseCacheMetadata(' ')).toEqual({});
    expect(parseCacheMetadata('{"a":"b"}')).toEqual({ a: 'b' });
    for (const bad of ['[', '[]', '{"a":1}', 'null']) expect(() => parseCacheMetadata(bad)).toThrow('CACHE_METADATA');
  });
});
