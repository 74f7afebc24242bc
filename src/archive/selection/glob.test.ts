import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob, matchesPath } from './glob.ts';

function matches(pattern: string, path: string): boolean {
  return matchesPath(compileGlob([], pattern), path);
}

describe('glob patterns', () => {
  it.each([
    ['a/**', 'a', true],
    ['a/**', 'a/b/.c', true],
    ['a/*', 'a/b/c', false],
    ['**/*.o', 'x.o', true],
    ['**/*.o', 'a/b/x.o', true],
    ['*.o', 'a/x.o', false],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['a/**/b', 'a/x/y/c', false],
    ['{a,b}/c', 'b/c', true],
    ['{a,b}/c', 'c/c', false],
    ['a/b{,.txt}', 'a/b', true],
    ['a/b{,.txt}', 'a/b.txt', true],
    ['[!x]y', 'ay', true],
    ['[!x]y', 'xy', false],
    ['[^x]y', 'xy', false],
    ['[a-c]1', 'b1', true],
    ['[a-c]1', 'd1', false],
    ['[-a]', '-', true],
    ['[a-]', '-', true],
    ['[\\]]', ']', true],
    ['[.]x', '.x', true],
    ['*', '.hidden', true],
    ['*', '', true],
    ['?', 'é', true],
    ['?', '😀', true],
    ['?', 'ab', false],
    ['**', 'anything/at/all', true],
    ['**', 'x', true],
    ['**/x', 'x', true],
    ['**/x', 'a/b/x', true],
    ['**.txt', 'a.txt', true],
    ['**.txt', 'd/a.txt', false],
    ['a**b', 'a123b', true],
    ['a**b', 'a/b', false],
    ['{a/b,c}/d', 'a/b/d', true],
    ['{a,{b,c}}x', 'cx', true],
    ['{**,a}/z', 'q/r/z', true],
    ['{1..3}', '2', false],
    ['{1..3}', '1..3', true],
    ['!a', '!a', true],
    ['+(a)', '+(a)', true],
    ['@(a|b)', 'a', false],
    ['\\*', '*', true],
    ['\\*', 'x', false],
    ['app/\\[id\\]/*.js', 'app/[id]/page.js', true],
    ['app/[id]/page.js', 'app/[id]/page.js', false],
    ['app/[id]/page.js', 'app/i/page.js', true],
    ['A', 'a', false],
    ['a/{b,c/}d', 'a/c/d', true],
    ['*a*a*a*b', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaa', false],
  ])('%s against %s: %s', (pattern, path, expected) => {
    expect(matches(pattern, path)).toBe(expected);
  });

  it.each(['[', '[]a]', '[!]a]', '[abc', '{a,b', 'a\\', 'x/{a,[}'])('refuses the malformed %s', (pattern) => {
    expect(() => compileGlob([], pattern)).toThrow('syntax error in pattern');
  });

  it('refuses to grow without bounds', () => {
    expect(() => compileGlob([], '{a,b}'.repeat(40))).toThrow('syntax error in pattern');
  });

  it('takes quadratic time at most', () => {
    expect(matches(`${'*a'.repeat(50)}b`, 'a'.repeat(5000))).toBe(false);
  });

  it('matches an escaped name with itself and nothing else', () => {
    const name = fc.string({ minLength: 1, maxLength: 8, unit: 'binary' }).filter((text) => !/[/\0]/.test(text));
    fc.assert(
      fc.property(name, name, (wanted, other) => {
        const pattern = wanted.replace(/[\\*?[\]{},!^-]/gu, '\\$&');
        expect(matches(pattern, wanted)).toBe(true);
        expect(matches(pattern, other)).toBe(other === wanted);
      }),
    );
  });
});
