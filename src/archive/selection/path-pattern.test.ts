import { describe, expect, it } from 'vitest';
import { matchesPath } from './glob.ts';
import { parsePathPattern } from './path-pattern.ts';

function matched(pattern: string, path: string): boolean | string {
  const parsed = parsePathPattern(pattern, '/srv/project');
  return parsed.kind === 'pattern' ? matchesPath(parsed.glob, path) : parsed.kind;
}

describe('path patterns', () => {
  it.each([
    ['a', 'a', true],
    ['a/', 'a', true],
    ['./a//b/', 'a/b', true],
    ['x/../a', 'a', true],
    ['/srv/project/a', 'a', true],
    ['/srv/project/a/*', 'a/b', true],
    ['/srv/project', 'a', false],
    ['', 'a', 'empty'],
    ['..', 'a', 'outside'],
    ['../x', 'a', 'outside'],
    ['/srv/projectile', 'a', 'outside'],
    ['/etc/*', 'a', 'outside'],
    ['../project/a', 'a', true],
    ['*/../../x', 'a', 'outside'],
    ['*/../x', 'x', true],
    ['./*', 'a', true],
    ['a/*/', 'a/b', true],
    ['\\[id\\]/*', '[id]/x', true],
    ['a/**/.', 'a/b/c', true],
    ['..x/*', '..x/a', true],
  ])('%s against %s: %s', (pattern, path, expected) => {
    expect(matched(pattern, path)).toBe(expected);
  });
});
