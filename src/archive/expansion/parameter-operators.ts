import { matchTokens, tokenize } from '../selection/glob-tokens.ts';
import { evaluateArithmetic } from './arithmetic.ts';
import { ExpansionError } from './expansion-error.ts';

/** What the operators of `${name…}` need. */
export interface ParameterContext {
  readonly name: string;
  /** Value of the parameter; empty counts as unset. */
  readonly value: string;
  readonly lookup: (name: string) => string;
  /** Expands the word of an operator. */
  readonly expandWord: (word: string) => string;
}

/**
 * Applies what follows the name in `${name…}`.
 * @throws ExpansionError for an unknown operator, and for `?` where the parameter is empty.
 */
export function applyOperator(text: string, context: ParameterContext): string {
  if (text === '') return context.value;
  const conditional = /^:?([-=?+])([^]*)$/.exec(text);
  if (conditional !== null) return applyConditional(conditional[1] ?? '', conditional[2] ?? '', context);
  if (text.startsWith(':')) return substring(text.slice(1), context);
  const trimming = /^(##|#|%%|%)([^]*)$/.exec(text);
  if (trimming !== null) return trim(trimming[1] ?? '', context.expandWord(trimming[2] ?? ''), context.value);
  if (text.startsWith('/')) return replace(text, context);
  if (text === '^' || text === ',') return changeCase(text, context.value.slice(0, 1)) + context.value.slice(1);
  if (text === '^^' || text === ',,') return changeCase(text, context.value);
  throw new ExpansionError(`unknown operator in \${${context.name}${text}}`);
}

function applyConditional(operator: string, word: string, context: ParameterContext): string {
  const isSet = context.value !== '';
  if (operator === '+') return isSet ? context.expandWord(word) : '';
  if (isSet) return context.value;
  if (operator !== '?') return context.expandWord(word);
  throw new ExpansionError(`${context.name}: ${context.expandWord(word) || 'parameter not set'}`);
}

function substring(text: string, context: ParameterContext): string {
  const [offsetText = '', lengthText] = context.expandWord(text).split(':');
  const characters = Array.from(context.value);
  const offset = Number(evaluateArithmetic(offsetText, context.lookup));
  const start = offset < 0 ? characters.length + offset : offset;
  if (start < 0 || start > characters.length) return '';
  if (lengthText === undefined) return characters.slice(start).join('');
  const length = Number(evaluateArithmetic(lengthText, context.lookup));
  return characters.slice(start, length < 0 ? characters.length + length : start + length).join('');
}

function trim(operator: string, pattern: string, value: string): string {
  const fromStart = operator.startsWith('#');
  const isLongest = operator.length === 2;
  const tokens = tokenize(pattern);
  const lengths = Array.from({ length: value.length + 1 }, (_, index) => index);
  for (const length of isLongest ? lengths.reverse() : lengths) {
    const part = fromStart ? value.slice(0, length) : value.slice(value.length - length);
    if (matchTokens(tokens, part)) return fromStart ? value.slice(length) : value.slice(0, value.length - length);
  }
  return value;
}

function replace(text: string, context: ParameterContext): string {
  const isGlobal = text.startsWith('//');
  const [pattern = '', replacement = ''] = splitReplacement(text.slice(isGlobal ? 2 : 1)).map(context.expandWord);
  if (pattern === '') return context.value;
  const tokens = tokenize(pattern);
  let result = '';
  let position = 0;
  while (position < context.value.length) {
    const length = longestMatch(tokens, context.value, position);
    if (length === 0) {
      result += context.value[position];
      position += 1;
      continue;
    }
    result += replacement;
    position += length;
    if (!isGlobal) break;
  }
  return result + context.value.slice(position);
}

function longestMatch(tokens: ReturnType<typeof tokenize>, value: string, position: number): number {
  for (let end = value.length; end > position; end -= 1) {
    if (matchTokens(tokens, value.slice(position, end))) return end - position;
  }
  return 0;
}

function splitReplacement(text: string): readonly string[] {
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1;
    else if (text[index] === '/') return [text.slice(0, index), text.slice(index + 1)];
  }
  return [text];
}

function changeCase(operator: string, text: string): string {
  return operator.startsWith('^') ? text.toUpperCase() : text.toLowerCase();
}
