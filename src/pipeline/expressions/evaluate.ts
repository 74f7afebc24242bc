import { parseRegexLiteral, type RegexEngine, type RegexLiteral } from '../regex.ts';
import type { BinaryOperator } from './lexer.ts';
import type { Expression } from './parser.ts';

/** What an expression can look up. */
export interface ExpressionContext {
  /** Raw, unexpanded value of a variable; null if it is not defined. */
  variable(name: string): string | null;
  /** Value of `$[[ inputs.name ]]`; only input rules have inputs. */
  input?(name: string): string | boolean | null;
  readonly regexes: RegexEngine;
}

type Value = string | boolean | null | RegexLiteral;

/** Whether an expression holds (spec local-pipeline.md §7): its value is not null, false or blank. */
export function evaluateExpression(expression: Expression, context: ExpressionContext): boolean {
  return isPresent(valueOf(expression, context));
}

function valueOf(expression: Expression, context: ExpressionContext): Value {
  switch (expression.kind) {
    case 'variable':
      return context.variable(expression.name);
    case 'input':
      return context.input?.(expression.name) ?? null;
    case 'string':
      return expression.text;
    case 'regex':
      return expression.literal;
    case 'boolean':
      return expression.value;
    case 'null':
      return null;
    case 'not':
      return !isPresent(valueOf(expression.operand, context));
    case 'binary':
      break;
  }
  return binaryValue(expression.operator, expression.left, expression.right, context);
}

function binaryValue(operator: BinaryOperator, left: Expression, right: Expression, context: ExpressionContext): Value {
  const leftValue = valueOf(left, context);
  // `&&` and `||` go by null and false alone: an empty text is true for them
  if (operator === '&&') return isTrueForLogic(leftValue) ? valueOf(right, context) : leftValue;
  if (operator === '||') return isTrueForLogic(leftValue) ? leftValue : valueOf(right, context);
  const rightValue = valueOf(right, context);
  if (operator === '==') return areEqual(leftValue, rightValue);
  if (operator === '!=') return !areEqual(leftValue, rightValue);
  const found = matches(leftValue, rightValue, context.regexes);
  return operator === '=~' ? found : !found;
}

function areEqual(left: Value, right: Value): boolean {
  if (typeof left === 'boolean' && typeof right === 'string') return String(left) === right;
  if (typeof left === 'string' && typeof right === 'boolean') return left === String(right);
  return left === right;
}

/** A right side that is no `/regex/` is searched for the left side, not the other way round: GitLab does so too. */
function matches(left: Value, right: Value, regexes: RegexEngine): boolean {
  if (right === null || right === false) return false;
  const text = left === null ? '' : textOf(left);
  const literal = typeof right === 'string' ? parseRegexLiteral(right) : right;
  if (literal === undefined || literal === true) return textOf(right).includes(text);
  const regex = regexes.compile(literal.source, literal.flags);
  if (regex !== undefined) return regex.matches(text);
  return typeof right === 'string' && right.includes(text);
}

function isTrueForLogic(value: Value): boolean {
  return value !== null && value !== false;
}

function isPresent(value: Value): boolean {
  if (value === null || value === false) return false;
  return typeof value !== 'string' || value.trim() !== '';
}

function textOf(value: string | boolean | RegexLiteral): string {
  return typeof value === 'object' ? `/${value.source}/${value.flags}` : String(value);
}
