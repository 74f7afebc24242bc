import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expandBraces, globMatcher } from './glob.ts';

describe('globMatcher', () => {
  test.each([
    ['a.txt', 'a.txt', true],
    ['a.txt', 'b/a.txt', false],
    ['*.txt', 'a.txt', true],
    ['*.txt', '.txt', true],
    ['*', '.hidden', true],
    ['*.txt', 'a/b.txt', false],
    ['**/*.txt', 'b.txt', true],
    ['**/*.txt', 'a/.b/c.txt', true],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['a/**/b', 'ab', false],
    ['dir/**', 'dir/a', true],
    ['dir/**', 'dir/a/b', false],
    ['dir/**/*', 'dir/a/b', true],
    ['dir/**/*', 'dir', false],
    ['?.c', 'a.c', true],
    ['?.c', '/.c', false],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[^a-c]x', 'dx', true],
    ['a[/]b', 'a/b', false],
    ['[a', '[a', false],
    ['[z-a]', 'z', false],
    ['*.{js,ts}', 'a.ts', true],
    ['{a,b/{c,d}}/x', 'b/d/x', true],
    ['{a', '{a', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['a+(b)', 'a+(b)', true],
    ['a.b', 'axb', false],
    ['ünï*', 'ünïcode', true],
    ['A', 'a', false],
  ])('%s %s', (pattern, path, expected) => {
    expect(globMatcher(pattern)(path)).toBe(expected);
  });

  test('property: any text escaped with backslashes matches exactly itself', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), (text, other) => {
        const escaped = text.replaceAll(/[*?[\]{}\\,]/g, '\\$&');
        expect(globMatcher(escaped)(text)).toBe(true);
        expect(globMatcher(escaped)(other)).toBe(text === other);
      }),
    );
  });

  test('braces multiply only so far', () => {
    expect(expandBraces('{a,b}{c,d}')).toEqual(['ac', 'ad', 'bc', 'bd']);
    expect(expandBraces('{a,b}'.repeat(30)).length).toBeLessThan(5000);
  });
});
