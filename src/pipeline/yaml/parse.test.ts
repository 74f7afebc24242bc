import { describe, expect, test } from 'vitest';
import { PipelineError } from '../../lib/errors.ts';
import { Problems } from '../problems.ts';
import { deepMerge, fillIn } from './merge.ts';
import { type MapNode, toPlain } from './nodes.ts';
import { parseYaml } from './parse.ts';

function parse(text: string): MapNode {
  const node = parseYaml(text, 'f.yml', new Problems())?.[0];
  if (node?.kind !== 'map') throw new Error('no map');
  return node;
}

function problemsIn(text: string): readonly string[] {
  const problems = new Problems();
  parseYaml(text, 'f.yml', problems);
  try {
    problems.throwIfAny();
  } catch (error) {
    if (error instanceof PipelineError) return error.message.split('\n');
  }
  return [];
}

describe('parseYaml', () => {
  test('keeps the place of keys and values', () => {
    const root = parse('a: 1\nb:\n  - x\n  - {c: d}\n');
    expect(root.entries.get('b')?.keyAt).toEqual({ file: 'f.yml', line: 2, column: 1 });
    const items = root.entries.get('b')?.value;
    expect(items?.kind === 'list' && items.items[1]?.at).toEqual({ file: 'f.yml', line: 4, column: 5 });
  });

  test('quoted texts are texts, keys are what they mean', () => {
    expect(toPlain(parse('"on": "1"\noff: \'~\'\n012: x\n'))).toEqual({ on: '1', false: '~', '10': 'x' });
  });

  test('an anchor that is set again counts from there', () => {
    expect(toPlain(parse('a: &x 1\nb: *x\nc: &x 2\nd: *x\n'))).toEqual({ a: 1, b: 1, c: 2, d: 2 });
  });

  test('standard tags', () => {
    expect(toPlain(parse('a: !!str 5\nb: !!int "5"\nc: !!map {}\n'))).toEqual({ a: '5', b: 5, c: {} });
  });

  test('the last of two equal keys counts, with a notice', () => {
    const problems = new Problems();
    const node = parseYaml('a: 1\na: 2\n', 'f.yml', problems)?.[0];
    expect(node && toPlain(node)).toEqual({ a: 2 });
    expect(problems.notices()).toMatchObject([{ message: "key 'a' is given twice, the last one counts", line: 2 }]);
  });

  test.each([
    ['a: *no', 'f.yml:1:4: Invalid YAML syntax: Unknown alias: no'],
    ['a: &a [*a]', 'f.yml:1:8: Invalid YAML syntax: Unknown alias: a'],
    ['a: !x 1', 'f.yml:1:7: Invalid YAML syntax: unknown tag !x'],
    ['a:\n\tb: 1', 'f.yml:2:1: Invalid YAML syntax: Tabs are not allowed as indentation'],
    ['? [a]\n: 1', 'f.yml:1:3: Invalid configuration format: a key must be a text'],
    ['<<: 5', 'f.yml:1:5: Invalid YAML syntax: "<<" takes a map or a list of maps'],
    ['a: 2024-01-01', 'f.yml:1:4: Invalid YAML syntax: Tried to load unspecified class: Date (quote it: "2024-01-01")'],
  ])('%j', (text, expected) => {
    expect(problemsIn(text)).toEqual([expected]);
  });

  test('nested aliases that stand for millions of nodes are refused', () => {
    const names = 'abcdefgh';
    const lines = Array.from(names, (name, index) => {
      const items = index === 0 ? '1' : `*${names[index - 1]}`;
      return `${name}: &${name} [${Array.from({ length: 10 }, () => items).join(', ')}]`;
    });
    expect(problemsIn(lines.join('\n')).at(-1)).toMatch(/The parsed YAML is too big$/);
    expect(problemsIn('['.repeat(50_000))[0]).toMatch(/Invalid YAML syntax/);
    expect(problemsIn(`a: ${'['.repeat(120)}${']'.repeat(120)}`)[0]).toMatch(/nested too deeply/);
  });

  test('documents are told apart', () => {
    expect(parseYaml('---\na: 1\n---\nb: 2\n', 'f.yml', new Problems())).toHaveLength(2);
    expect(parseYaml('', 'f.yml', new Problems())).toEqual([]);
  });
});

describe('merging', () => {
  test('maps merge, anything else replaces; places are kept', () => {
    const merged = deepMerge(parse('a: {x: 1, y: [1]}\nb: {c: 1}\n'), parse('a: {y: [2], z: 3}\nb: null\n'));
    expect(toPlain(merged)).toEqual({ a: { x: 1, y: [2], z: 3 }, b: null });
    const inner = merged.entries.get('a')?.value;
    expect(inner?.kind === 'map' && inner.entries.get('y')?.keyAt.column).toBe(5);
  });

  test('fillIn leaves what is there, but not null', () => {
    const filled = fillIn(parse('a: 1\nb:\nc: []\n'), parse('a: 2\nb: 2\nc: 2\nd: 2\n').entries.values());
    expect(toPlain(filled)).toEqual({ a: 1, b: 2, c: [], d: 2 });
  });
});
