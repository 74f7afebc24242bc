import { describe, expect, it } from 'vitest';
import { shortToken } from './short-token.ts';

describe('shortToken', () => {
  it.each([
    ['glrt-abcdefghijklmnop', 'abcdefghi'],
    ['glrt-t1_abcdefghijklmnop', 'abcdefghi'],
    ['t3_abcdefghijklmnop', 'abcdefghi'],
    ['glrtr-abcdefghijklmnop', 'abcdefghi'],
    ['glrt-glcbt-abcdefghijklmnop', 'abcdefghi'],
    ['GR1348941abcdefghijklmnop', 'abcdefghi'],
    ['glrt-t4_abcdefghij', 't4_abcdef'],
    ['abc', 'abc'],
    ['', ''],
  ])('%s is shown as %s', (token, short) => {
    expect(shortToken(token)).toBe(short);
  });
});
