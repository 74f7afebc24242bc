import { parseRegexLiteral, type RegexLiteral } from '../regex.ts';
import { type BinaryOperator, ExpressionSyntaxError, lexExpression, type Token } from './lexer.ts';

export type Expression =
  | { readonly kind: 'variable' | 'input'; readonly name: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'regex'; readonly literal: RegexLiteral }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' }
  | { readonly kind: 'not'; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    };

/** Loosest first; all are left-associative, `!` binds tighter than any. */
const LEVELS: readonly ReadonlySet<BinaryOperator>[] = [
  new Set<BinaryOperator>(['||']),
  new Set<BinaryOperator>(['&&']),
  new Set<BinaryOperator>(['==', '!=', '=~', '!~']),
];

/** Parses the expression of `rules:if` and its kin (spec local-pipeline.md §7). Throws `ExpressionSyntaxError`. */
export function parseExpression(text: string): Expression {
  const parser = new Parser(lexExpression(text), text.length);
  const result = parser.level(0);
  parser.end();
  return result;
}

/** All nodes of an expression, outer ones first. */
export function* walkExpression(expression: Expression): Generator<Expression> {
  yield expression;
  if (expression.kind === 'not') yield* walkExpression(expression.operand);
  if (expression.kind === 'binary') {
    yield* walkExpression(expression.left);
    yield* walkExpression(expression.right);
  }
}

class Parser {
  readonly #tokens: readonly { readonly token: Token; readonly offset: number }[];
  readonly #length: number;
  #next = 0;

  constructor(tokens: readonly { readonly token: Token; readonly offset: number }[], length: number) {
    this.#tokens = tokens;
    this.#length = length;
  }

  level(index: number): Expression {
    const operators = LEVELS[index];
    if (operators === undefined) return this.#operand();
    let left = this.level(index + 1);
    for (;;) {
      const token = this.#tokens[this.#next]?.token;
      if (token?.kind !== 'operator' || !operators.has(token.operator)) return left;
      this.#next++;
      left = { kind: 'binary', operator: token.operator, left, right: this.level(index + 1) };
    }
  }

  end(): void {
    const rest = this.#tokens[this.#next];
    if (rest !== undefined) throw new ExpressionSyntaxError('an operator is missing', rest.offset);
  }

  #operand(): Expression {
    const entry = this.#tokens[this.#next++];
    if (entry === undefined) throw new ExpressionSyntaxError('an operand is missing at the end', this.#length);
    const { token, offset } = entry;
    switch (token.kind) {
      case 'not':
        return { kind: 'not', operand: this.#operand() };
      case 'open':
        return this.#parenthesis(offset);
      case 'variable':
      case 'input':
        return { kind: token.kind, name: token.text };
      case 'string':
      case 'boolean':
      case 'null':
        return token;
      case 'regex':
        return { kind: 'regex', literal: regexOf(token.text, offset) };
      case 'close':
      case 'operator':
        throw new ExpressionSyntaxError('an operand is missing', offset);
    }
    return unexpected(token);
  }

  #parenthesis(offset: number): Expression {
    const inner = this.level(0);
    if (this.#tokens[this.#next++]?.token.kind !== 'close') {
      throw new ExpressionSyntaxError('a parenthesis is not closed', offset);
    }
    return inner;
  }
}

function regexOf(text: string, offset: number): RegexLiteral {
  const literal = parseRegexLiteral(text);
  if (literal === undefined) throw new ExpressionSyntaxError('not a regular expression', offset);
  return literal;
}

function unexpected(token: never): never {
  throw new ExpressionSyntaxError(`unexpected token ${JSON.stringify(token)}`, 0);
}
