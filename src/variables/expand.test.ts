import { describe, expect, it } from 'vitest';
import { expandText, expandVariables } from './expand.ts';
import { internalVariable } from './lookup.ts';

describe('expandText', () => {
  const values: Readonly<Record<string, string>> = { NAME: 'value', a1_: 'x', EMPTY: '' };
  it.each([
    ['$NAME-${NAME}', 'value-value'],
    ['$NAMES.$a1_', '.x'],
    ['$$NAME ${$}', '$NAME $'],
    ['$*$#$@$!$?$-$0 $5x', ' x'],
    ['${A:-b}', ''],
    ['${} ${NAME', ' NAME'],
    ['a$ $. $', 'a$ $. $'],
    [String.raw`\$NAME`, String.raw`\value`],
    ['$ä', '$ä'],
  ])('%s → %s', (text, expected) => {
    expect(expandText(text, (key) => values[key])).toBe(expected);
  });
});

describe('expandVariables', () => {
  it('expands once, against the list as it was', () => {
    const expanded = expandVariables(
      [
        internalVariable('A', '$B'),
        internalVariable('B', '$C'),
        internalVariable('C', 'c'),
        internalVariable('PATH', 'x'),
        internalVariable('PATH', '$PATH:y'),
        internalVariable('RAW', '$C', { raw: true }),
        internalVariable('FILE', 'content of $C', { file: true }),
        internalVariable('USES', '$FILE $RAW'),
      ],
      '/b/p.tmp',
    );
    expect(Object.fromEntries(expanded.map(({ key, value }) => [key, value]))).toEqual({
      A: '$C',
      B: 'c',
      C: 'c',
      PATH: '$PATH:y:y',
      RAW: '$C',
      FILE: 'content of c',
      USES: '/b/p.tmp/FILE $C',
    });
  });
});
