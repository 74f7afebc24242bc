import { describe, expect, it } from 'vitest';
import { expandText } from './expand-text.ts';

const environment = { NAME: 'value', EMPTY: '', PATH_LIKE: 'a/b/c.tar.gz', N: '5', MIXED: 'Hallo' };

describe('expandText', () => {
  it.each([
    ['plain', 'plain'],
    ['$NAME', 'value'],
    ['${NAME}x', 'valuex'],
    ['$NAMEx', ''],
    ['$MISSING-', '-'],
    ['${MISSING:-d}', 'd'],
    ['${EMPTY-d}', 'd'],
    ['${NAME:-d}', 'value'],
    ['${MISSING:-$NAME}', 'value'],
    ['${MISSING:-${EMPTY:-deep}}', 'deep'],
    ['${NAME:+set}', 'set'],
    ['${MISSING:+set}', ''],
    ['${MISSING:=x}', 'x'],
    ['${#NAME}', '5'],
    ['${PATH_LIKE##*/}', 'c.tar.gz'],
    ['${PATH_LIKE#*/}', 'b/c.tar.gz'],
    ['${PATH_LIKE%.*}', 'a/b/c.tar'],
    ['${PATH_LIKE%%.*}', 'a/b/c'],
    ['${PATH_LIKE//\\//-}', 'a-b-c.tar.gz'],
    ['${PATH_LIKE/b/x}', 'a/x/c.tar.gz'],
    ['${NAME:1:3}', 'alu'],
    ['${NAME: -2}', 'ue'],
    ['${MIXED^^}', 'HALLO'],
    ['${MIXED,,}', 'hallo'],
    ['$((N * 2 + 1))', '11'],
    ['$((($N > 3) ? 7 : 8))', '7'],
    ['$((1 << 4 | 3))', '19'],
    ['$((-7 / 2))', '-3'],
    ['\\$NAME', '$NAME'],
    ['\\\\', '\\'],
    ['\\`x', '`x'],
    ['\\n', '\\n'],
    ['a $ b', 'a $ b'],
    ['$', '$'],
    ['100%', '100%'],
    ['~/x *.{a,b}', '~/x *.{a,b}'],
    ['$1$@', ''],
    ['"quoted"', '"quoted"'],
  ])('%s → %s', (text, expected) => {
    expect(expandText(text, environment)).toBe(expected);
  });

  it.each([
    '$(ls)',
    '`ls`',
    '${NAME',
    '${}',
    '${NAME!}',
    '$((1 +))',
    '$((1 / 0))',
    '${MISSING:?gone}',
    '$((',
    '${a b}',
  ])('refuses %s', (text) => {
    expect(() => expandText(text, environment)).toThrow();
  });
});
