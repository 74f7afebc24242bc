import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadRegexEngine, type RegexEngine } from '../regex.ts';
import { evaluateExpression } from './evaluate.ts';
import { ExpressionSyntaxError } from './lexer.ts';
import { type Expression, parseExpression } from './parser.ts';

let regexes: RegexEngine;
beforeAll(async () => {
  regexes = await loadRegexEngine();
});

const values: Readonly<Record<string, string>> = {
  EMPTY: '',
  BLANK: ' \t',
  A: 'a',
  ALSO_A: 'a',
  ZERO: '0',
  TRUE: 'true',
  BRANCH: 'feature/x-1',
  RE: '/^FEAT/i',
  SLASHES: '/a/b/',
  BAD_RE: '/(/',
};

function holds(text: string): boolean {
  const variable = (name: string): string | null => values[name] ?? null;
  return evaluateExpression(parseExpression(text), { variable, regexes });
}

describe('evaluation', () => {
  test.each([
    ['$A', true],
    ['$EMPTY', false],
    ['$BLANK', false],
    ['$NOPE', false],
    ['$ZERO', true],
    ['"x"', true],
    ['""', false],
    ['null', false],
    ['true', true],
    ['false', false],
    ['/ab/', true],
    ['$A == "a"', true],
    ["$A == 'a'", true],
    ['$A == $ALSO_A', true],
    ['$A == "$ALSO_A"', false],
    ['$NOPE == null', true],
    ['$EMPTY == null', false],
    ['$EMPTY == ""', true],
    ['$NOPE != "x"', true],
    ['$NOPE == ""', false],
    ['$TRUE == true', true],
    ['true == "true"', true],
    ['$A == true', false],
    ['null == null', true],
    ['$BRANCH =~ /^feature/', true],
    ['$BRANCH =~ /^FEATURE/', false],
    ['$BRANCH =~ /^FEATURE/i', true],
    ['$BRANCH =~ /feature\\/x-\\d+$/', true],
    ['$BRANCH !~ /^main/', true],
    ['$BRANCH !~ /^feature/', false],
    ['$BRANCH =~ $RE', true],
    ['"a/b" =~ $SLASHES', true],
    ['$A =~ $BAD_RE', false],
    ['$NOPE =~ /.*/', true],
    ['$NOPE =~ /.+/', false],
    ['$A =~ $NOPE', false],
    ['$A !~ $NOPE', true],
    ['"23" =~ "1234"', true],
    ['"1234" =~ "23"', false],
    ['$A =~ /a b/', false],
    ['$EMPTY || $A', false],
    ['$EMPTY && $A', true],
    ['$EMPTY || $NOPE', false],
    ['$A && $EMPTY', false],
    ['$NOPE || false || $A == "a"', true],
    ['$A == "a" && $NOPE == null || false', true],
    ['false && false || true', true],
    ['false && (false || true)', false],
    ['true || false && false', true],
    ['(true || false) && false', false],
    ['!$NOPE', true],
    ['!$A', false],
    ['!!$A', true],
    ['!$A == "x"', false],
    ['!$A == false', true],
    ['!($A == "x")', true],
    ['$A == "a"&&$BRANCH=~/^f.*1$/', true],
    ['$A\n == \n"a"', true],
    ['$A == "a" == true', true],
  ])('%s', (text, expected) => {
    expect(holds(text)).toBe(expected);
  });
});

describe('syntax errors', () => {
  test.each([
    ['', 0],
    ['$A ==', 5],
    ['== $A', 0],
    ['$A $A', 3],
    ['($A', 0],
    ['$A)', 2],
    ['${A}', 0],
    ['$A =~ /./', 6],
    ['"open', 0],
    ['$A = "a"', 3],
    ['$A & $A', 3],
    ['process.exit()', 0],
    ['1 == 1', 0],
    ['$A ! $A', 3],
  ])('%j', (text, offset) => {
    expect(() => parseExpression(text)).toThrow(ExpressionSyntaxError);
    try {
      parseExpression(text);
    } catch (error) {
      expect((error as ExpressionSyntaxError).offset).toBe(offset);
    }
  });

  test('no more than a hundred tokens', () => {
    const text = Array.from({ length: 51 }, () => '$A').join(' || ');
    expect(() => parseExpression(text)).toThrow('Too many tokens!');
  });
});

/** Expressions with few tokens, as trees. */
const { tree } = fc.letrec<{ tree: Expression; leaf: Expression }>((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom(...Object.keys(values)).map((name): Expression => ({ kind: 'variable', name })),
    fc.stringMatching(/^[^"']{0,5}$/).map((text): Expression => ({ kind: 'string', text })),
    fc.constantFrom<Expression>(
      { kind: 'null' },
      { kind: 'boolean', value: true },
      { kind: 'boolean', value: false },
      { kind: 'regex', literal: { source: '^a/b', flags: 'i' } },
    ),
  ),
  tree: fc.oneof(
    { maxDepth: 4 },
    tie('leaf'),
    tie('tree').map((operand): Expression => ({ kind: 'not', operand })),
    fc
      .record({ operator: fc.constantFrom('==', '!=', '=~', '!~', '&&', '||'), left: tie('tree'), right: tie('tree') })
      .map((parts): Expression => ({ kind: 'binary', ...parts })),
  ),
}));

const LEVEL = { '||': 0, '&&': 1, '==': 2, '!=': 2, '=~': 2, '!~': 2 } as const;

/** Writes a tree with as few parentheses as the grammar needs. */
function write(expression: Expression, level = 0): string {
  switch (expression.kind) {
    case 'variable':
      return `$${expression.name}`;
    case 'input':
      return `$[[ inputs.${expression.name} ]]`;
    case 'string':
      return `"${expression.text}"`;
    case 'regex':
      return `/${expression.literal.source.replaceAll('/', '\\/')}/${expression.literal.flags}`;
    case 'boolean':
      return String(expression.value);
    case 'null':
      return 'null';
    case 'not':
      return `!${write(expression.operand, 3)}`;
    case 'binary': {
      const own = LEVEL[expression.operator];
      const text = `${write(expression.left, own)} ${expression.operator} ${write(expression.right, own + 1)}`;
      return own < level ? `(${text})` : text;
    }
  }
  return '';
}

describe('properties', () => {
  test('what is written from a tree parses to the tree', () => {
    fc.assert(
      fc.property(tree, (expression) => {
        const text = write(expression);
        fc.pre((text.match(/[$"()!=~&|/]/g)?.length ?? 0) < 60);
        expect(parseExpression(text)).toEqual(expression);
      }),
      { numRuns: 500 },
    );
  });

  test('evaluating any tree gives a boolean', () => {
    fc.assert(
      fc.property(tree, (expression) => {
        const variable = (name: string): string | null => values[name] ?? null;
        expect(typeof evaluateExpression(expression, { variable, regexes })).toBe('boolean');
      }),
    );
  });

  test('any text parses or is a syntax error', () => {
    const pieces = fc.constantFrom(
      '$A',
      '"x"',
      '==',
      '=~',
      '/ab/',
      '(',
      ')',
      '!',
      '&&',
      '||',
      'null',
      'true',
      ' ',
      '$',
      '/',
      '"',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((list) => list.join('')),
        ),
        (text) => {
          try {
            parseExpression(text);
          } catch (error) {
            expect(error).toBeInstanceOf(ExpressionSyntaxError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
