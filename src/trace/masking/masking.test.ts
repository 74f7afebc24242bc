import { describe, expect, it } from 'vitest';
import { runLayer } from '../testing/split.ts';
import { Masking, type MaskingRules } from './masking.ts';

const defaultPrefixes =
  'glpat- gloas- gldt- glrt- glcbt- glrtr- glptt- glft- glimt- glagent- glsoat- glffct- _gitlab_session= gltok-';

function mask(rules: Partial<MaskingRules>, ...pieces: string[]): string {
  const masker = new Masking({ phrases: [], tokenPrefixes: [], ...rules }).createMasker();
  const bytes = pieces.map((piece) => Buffer.from(piece));
  return Buffer.from(runLayer(masker, bytes), 'latin1').toString();
}

describe('masking of values', () => {
  it('trims values, drops empty ones, and knows each once', () => {
    expect(mask({ phrases: ['  secret \n', '', '   ', 'secret'] }, 'a secret b')).toBe('a [MASKED] b');
  });

  it('makes one mark of a chain of overlapping values, but keeps values apart that only touch', () => {
    const phrases = ['abc', 'cde', 'xy'];
    expect(mask({ phrases }, 'abcde')).toBe('[MASKED]');
    expect(mask({ phrases }, 'abcabc')).toBe('[MASKED][MASKED]');
    expect(mask({ phrases }, 'xyabcdexy')).toBe('[MASKED][MASKED][MASKED]');
  });

  it('joins touching occurrences that a later one overlaps', () => {
    expect(mask({ phrases: ['abc', 'def', 'bcdefg'] }, 'abcdef', 'g')).toBe('[MASKED]');
    expect(mask({ phrases: ['abc', 'def', 'bcdefg'] }, 'abcdef', 'h')).toBe('[MASKED][MASKED]h');
  });

  it('does not mask its marks again', () => {
    expect(mask({ phrases: ['secret', 'MASKED', '[', 'K'] }, 'a secret [')).toBe('a [MASKED] [MASKED]');
  });

  it('finds a self-overlapping value over a split', () => {
    expect(mask({ phrases: ['aab'] }, 'aa', 'ab')).toBe('a[MASKED]');
  });

  it('finds values of several lines and of any characters', () => {
    expect(mask({ phrases: ['line 1\nline 2', 'größe😀'] }, 'x line 1\nli', 'ne 2 y gr', 'öße😀')).toBe(
      'x [MASKED] y [MASKED]',
    );
  });

  it('holds back only what may still become a value', () => {
    const masker = new Masking({ phrases: ['secret', 'ret!'], tokenPrefixes: [] }).createMasker();
    const say = (text: string): string => Buffer.from(masker.write(Buffer.from(text))).toString();
    expect(say('a sec')).toBe('a ');
    expect(say('ond ')).toBe('second ');
    expect(say('secret')).toBe('');
    expect(say('?')).toBe('[MASKED]?');
    expect(Buffer.from(masker.flush()).toString()).toBe('');
  });

  it('shows nothing of a chain that is longer than anything it keeps', () => {
    expect(mask({ phrases: ['aa'] }, ...Array<string>(1000).fill('aaa'))).toBe('[MASKED]');
  });

  it('copes with very long values', () => {
    const key = Array.from({ length: 20_000 }, (_, index) => index.toString(36)).join('\n');
    expect(mask({ phrases: [key, 'short'] }, `short ${key.slice(0, 50_000)}`, `${key.slice(50_000)}.`)).toBe(
      '[MASKED] [MASKED].',
    );
  });

  it('copes with values in which every byte occurs', () => {
    const all = String.fromCharCode(...Array.from({ length: 255 }, (_, index) => index + 1));
    expect(mask({ phrases: [`x${all}x`] }, `-x${all}x${all}-`)).toBe(`-[MASKED]${all}-`);
  });
});

describe('masking of URL parameters', () => {
  it.each([
    ['https://a/b?private_token=abc&x=1', 'https://a/b?private_token=[MASKED]&x=1'],
    ['?x=1&RSS_Token=abc?y', '?x=1&RSS_Token=[MASKED]?y'],
    ['?authenticity_token=', '?authenticity_token=[MASKED]'],
    ['?X-Amz-Signature=a b', '?X-Amz-Signature=[MASKED] b'],
    ['?x-amz-credential=a\r\n', '?x-amz-credential=[MASKED]\r\n'],
    ['&x-amz-security-token=ä\x7f', '&x-amz-security-token=[MASKED]\x7f'],
    ['?my_private_token=abc', '?my_private_token=abc'],
    ['private_token=abc', 'private_token=abc'],
    ['?private_token =abc', '?private_token =abc'],
    ['??&private_token=abc', '??&private_token=[MASKED]'],
  ])('masks %j', (text, expected) => {
    expect(mask({}, text)).toBe(expected);
    expect(mask({}, ...text.split(/(?=.)/su))).toBe(expected);
  });
});

describe('masking after token prefixes', () => {
  const tokenPrefixes = defaultPrefixes.split(' ');

  it.each([
    ['glpat-abc', 'glpat-[MASKED]'],
    ['xglpat-a_b.c=d-e/f', 'xglpat-[MASKED]/f'],
    ['glpat- abc', 'glpat- abc'],
    ['glpat-glpat-abc', 'glpat-[MASKED]'],
    ['_gitlab_session=abc;', '_gitlab_session=[MASKED];'],
    ['glrt-t3_abc glrtr-x', 'glrt-[MASKED] glrtr-[MASKED]'],
    ['GLPAT-abc', 'GLPAT-abc'],
  ])('masks %j', (text, expected) => {
    expect(mask({ tokenPrefixes }, text)).toBe(expected);
    expect(mask({ tokenPrefixes }, ...text.split(''))).toBe(expected);
  });

  it('uses all prefixes, however many there are', () => {
    const more = Array.from({ length: 40 }, (_, index) => `instance${index}-`);
    const all = [...more, ...tokenPrefixes];
    expect(mask({ tokenPrefixes: all }, all.map((prefix) => `${prefix}abc`).join(' '))).toBe(
      all.map((prefix) => `${prefix}[MASKED]`).join(' '),
    );
  });

  it('sees the value masked before: its mark is no token', () => {
    expect(mask({ phrases: ['abc'], tokenPrefixes }, 'glpat-abc')).toBe('glpat-[MASKED]');
  });
});
