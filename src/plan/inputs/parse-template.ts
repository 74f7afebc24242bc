import type { BinaryOperator, Expression, Template } from './expression.ts';
import { Scanner } from './scanner.ts';

const reservedWords = new Set(
  'if else for while func function var let const return break continue switch case default import export in of new class try catch throw async await yield'.split(
    ' ',
  ),
);

/** Operators from the weakest to the strongest binding; longer ones first where one begins another. */
const precedence: readonly (readonly BinaryOperator[])[] = [
  ['||'],
  ['&&'],
  ['==', '!=', '<=', '>=', '<', '>'],
  ['+', '-'],
  ['*', '/', '%'],
];

/**
 * Reads a text with `${{ … }}` expressions (spec job-execution.md §22).
 * @throws ExpressionError
 */
export function parseTemplate(text: string): Template {
  const scanner = new Scanner(text);
  const parts: (string | Expression)[] = [];
  let plain = '';
  while (!scanner.isAtEnd) {
    if (scanner.take('\\${{')) {
      plain += '${{';
    } else if (scanner.take('${{')) {
      if (plain !== '') parts.push(plain);
      plain = '';
      parts.push(parseEmbedded(scanner));
    } else {
      plain += scanner.takeCharacter();
    }
  }
  return plain === '' ? parts : [...parts, plain];
}

/** After `${{`, up to and with `}}`. */
function parseEmbedded(scanner: Scanner): Expression {
  const expression = parseBinary(scanner, 0);
  scanner.expectToken('}}');
  return expression;
}

function parseBinary(scanner: Scanner, level: number): Expression {
  const operators = precedence[level];
  if (operators === undefined) return parseUnary(scanner);
  let left = parseBinary(scanner, level + 1);
  for (;;) {
    const operator = operators.find((candidate) => scanner.takeToken(candidate));
    if (operator === undefined) return left;
    left = { kind: 'binary', operator, left, right: parseBinary(scanner, level + 1) };
  }
}

function parseUnary(scanner: Scanner): Expression {
  for (const operator of ['!', '-', '+'] as const) {
    if (scanner.takeToken(operator)) return { kind: 'unary', operator, operand: parseUnary(scanner) };
  }
  return parsePostfix(scanner);
}

function parsePostfix(scanner: Scanner): Expression {
  let expression = parsePrimary(scanner);
  for (;;) {
    if (scanner.takeToken('.')) {
      const name = takeIdentifier(scanner) ?? scanner.fail('expected a name after "."');
      expression = { kind: 'member', of: expression, key: { kind: 'value', value: name } };
    } else if (scanner.takeToken('[')) {
      const key = parseBinary(scanner, 0);
      scanner.expectToken(']');
      expression = { kind: 'member', of: expression, key };
    } else if (expression.kind === 'name' && scanner.takeToken('(')) {
      expression = { kind: 'call', name: expression.name, args: parseList(scanner, ')') };
    } else {
      return expression;
    }
  }
}

function parsePrimary(scanner: Scanner): Expression {
  scanner.skipBlanks();
  if (scanner.take('(')) {
    const inner = parseBinary(scanner, 0);
    scanner.expectToken(')');
    return inner;
  }
  if (scanner.take('[')) return { kind: 'array', items: parseList(scanner, ']') };
  if (scanner.take('{')) return parseTable(scanner);
  if (scanner.take('"')) return parseDoubleQuoted(scanner);
  if (scanner.take("'")) return { kind: 'value', value: takeSingleQuoted(scanner) };
  const number = scanner.takeMatch(/(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y);
  if (number !== undefined) return { kind: 'value', value: Number(number) };
  return parseName(scanner);
}

function parseName(scanner: Scanner): Expression {
  const start = scanner.position;
  const name = takeIdentifier(scanner);
  switch (name) {
    case undefined:
      return scanner.fail('expected an expression');
    case 'null':
      return { kind: 'value', value: null };
    case 'true':
    case 'false':
      return { kind: 'value', value: name === 'true' };
    default:
      if (!reservedWords.has(name)) return { kind: 'name', name };
      scanner.position = start;
      return scanner.fail(`"${name}" is a reserved word`);
  }
}

function takeIdentifier(scanner: Scanner): string | undefined {
  scanner.skipBlanks();
  return scanner.takeMatch(/[A-Za-z_][A-Za-z0-9_]*/y);
}

/** Comma-separated expressions up to and with the closing mark; a last comma is allowed. */
function parseList(scanner: Scanner, close: string): readonly Expression[] {
  const items: Expression[] = [];
  while (!scanner.takeToken(close)) {
    items.push(parseBinary(scanner, 0));
    if (scanner.takeToken(',')) continue;
    scanner.expectToken(close);
    break;
  }
  return items;
}

function parseTable(scanner: Scanner): Expression {
  const entries: { key: Expression; value: Expression }[] = [];
  while (!scanner.takeToken('}')) {
    const key = parseTableKey(scanner);
    scanner.expectToken(':');
    entries.push({ key, value: parseBinary(scanner, 0) });
    if (scanner.takeToken(',')) continue;
    scanner.expectToken('}');
    break;
  }
  return { kind: 'table', entries };
}

/** A name stands for itself; anything computed is in parentheses or a string. */
function parseTableKey(scanner: Scanner): Expression {
  const name = takeIdentifier(scanner);
  return name === undefined ? parsePrimary(scanner) : { kind: 'value', value: name };
}

function parseDoubleQuoted(scanner: Scanner): Expression {
  const parts: (string | Expression)[] = [];
  let plain = '';
  while (!scanner.take('"')) {
    if (scanner.isAtEnd) scanner.fail('a string is not closed');
    if (scanner.take('\\')) {
      plain += scanner.takeEscape();
    } else if (scanner.take('${{')) {
      if (plain !== '') parts.push(plain);
      plain = '';
      parts.push(parseEmbedded(scanner));
    } else {
      plain += scanner.takeCharacter();
    }
  }
  if (parts.length === 0) return { kind: 'value', value: plain };
  return { kind: 'template', parts: plain === '' ? parts : [...parts, plain] };
}

function takeSingleQuoted(scanner: Scanner): string {
  let text = '';
  while (!scanner.take("'")) {
    if (scanner.isAtEnd) scanner.fail('a string is not closed');
    if (!scanner.take('\\')) text += scanner.takeCharacter();
    else if (scanner.take("'")) text += "'";
    else if (scanner.take('\\')) text += '\\';
    else scanner.fail("only \\\\ and \\' are escapes in a single-quoted string");
  }
  return text;
}
