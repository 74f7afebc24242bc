import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  circularVariablesMessage,
  expandServerText,
  expandServerVariables,
  referencedNames,
} from './server-expansion.ts';

function variable(key: string, value: string, flags: { file?: boolean; raw?: boolean } = {}) {
  return { key, value, file: flags.file ?? false, raw: flags.raw ?? false };
}

function expand(list: readonly ReturnType<typeof variable>[]): Record<string, string> {
  const result = expandServerVariables(list);
  if (!result.ok) throw new Error(circularVariablesMessage(result.cycle));
  return Object.fromEntries(result.variables.map((item) => [item.key, item.value]));
}

describe('expandServerText', () => {
  const lookup = (name: string): string | undefined => ({ A: 'one', B: '' })[name];
  test.each([
    ['$A ${A} %A%', 'one one one', 'one one one'],
    ['$A_x ${A}_x', '$A_x one_x', ' one_x'],
    ['$$A %%A%% $B|', '$$A %%A%% |', '$$A %%A%% |'],
    ['${} $1 ${1A} 100% %', '${} $1 ${1A} 100% %', ' $1 ${1A} 100% %'],
    ['%NO% $NO', '%NO% $NO', ' '],
  ])('%s', (text, kept, emptied) => {
    expect(expandServerText(text, lookup, 'keep')).toBe(kept);
    expect(expandServerText(text, lookup, 'empty')).toBe(emptied);
  });
  test('lists names once', () => {
    expect(referencedNames('$A-${B}%A%$$C')).toEqual(['A', 'B']);
  });
});

describe('expandServerVariables', () => {
  test('expands in any order, nested, and sorts references first', () => {
    const result = expandServerVariables([variable('A', '$B!'), variable('B', '<${C}>'), variable('C', 'x')]);
    expect(result).toEqual({ ok: true, variables: [variable('C', 'x'), variable('B', '<x>'), variable('A', '<x>!')] });
  });
  test('keeps undefined names, escapes, and references to raw and file variables', () => {
    const values = expand([
      variable('RAW', '$X', { raw: true }),
      variable('FILE', 'content $X', { file: true }),
      variable('X', '1'),
      variable('A', '$RAW $FILE $NONE $$X $X'),
    ]);
    expect(values).toEqual({ RAW: '$X', FILE: 'content 1', X: '1', A: '$RAW $FILE $NONE $$X 1' });
  });
  test('the last entry of a name wins, also for references before it, and stays last', () => {
    const result = expandServerVariables([variable('A', '$B'), variable('A', 'last'), variable('B', '$A')]);
    expect(result).toEqual({
      ok: true,
      variables: [variable('A', 'last'), variable('A', 'last'), variable('B', 'last')],
    });
  });
  test('a self reference takes the overridden value or stays as text', () => {
    expect(expand([variable('P', '/usr'), variable('P', '$P:/x')])).toEqual({ P: '/usr:/x' });
    expect(expand([variable('PATH', '$PATH:/x')])).toEqual({ PATH: '$PATH:/x' });
  });
  test('a self reference whose overridden value leads back to it stays as text', () => {
    expect(expand([variable('A', '$C'), variable('C', '$A'), variable('C', '$C')])).toEqual({ A: '$C', C: '$C' });
  });
  test('two that refer to each other are a cycle, with only the names on it', () => {
    const result = expandServerVariables([variable('X', '$A'), variable('A', '$B'), variable('B', '${A}')]);
    expect(result).toEqual({ ok: false, cycle: ['A', 'B'] });
    expect(circularVariablesMessage(['A', 'B'])).toBe('circular variable reference detected: ["A", "B"]');
  });
  test('raw breaks a cycle', () => {
    expect(expand([variable('A', '$B'), variable('B', '$A', { raw: true })])).toEqual({ A: '$B', B: '$A' });
  });
  test('property: keeps every entry, and no reference to a plain defined name is left', () => {
    const names = ['A', 'B', 'C', 'D', 'E'];
    const value = fc
      .array(fc.constantFrom(...names.map((name) => `$${name}`), 'x', '$Z'), { maxLength: 3 })
      .map((parts) => parts.join('-'));
    fc.assert(
      fc.property(fc.array(fc.record({ key: fc.constantFrom(...names), value }), { maxLength: 7 }), (items) => {
        const list = items.map((item) => variable(item.key, item.value));
        const result = expandServerVariables(list);
        if (!result.ok) {
          expect(result.cycle.length).toBeGreaterThan(1);
          return;
        }
        expect(result.variables.map((item) => item.key).toSorted()).toEqual(list.map((item) => item.key).toSorted());
        const last = new Map(result.variables.map((item) => [item.key, item]));
        for (const [key, item] of last) {
          for (const name of referencedNames(item.value))
            expect(last.has(name) && !refersToItself(list, name), key).toBe(false);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

function refersToItself(list: readonly ReturnType<typeof variable>[], name: string): boolean {
  return list.some((item) => item.key === name && referencedNames(item.value).includes(name));
}
