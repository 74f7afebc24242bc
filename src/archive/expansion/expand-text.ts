import { evaluateArithmetic } from './arithmetic.ts';
import { ExpansionError } from './expansion-error.ts';
import { applyOperator } from './parameter-operators.ts';

/** Deeper nesting than anybody writes. */
const deepestNesting = 50;

/**
 * Expands a text as a POSIX shell does inside double quotes (spec cache-artifacts.md §1): `$V`, `${V}` with its
 * operators, `$((…))`, a backslash before `$`, backtick and backslash. Empty variables count as unset.
 * No globbing, no tilde, no word splitting.
 * @throws ExpansionError for command substitution and for bad syntax.
 */
export function expandText(text: string, environment: Readonly<Record<string, string | undefined>>): string {
  return expandNested(text, (name) => environment[name] ?? '', 0);
}

function expandNested(text: string, lookup: (name: string) => string, depth: number): string {
  if (depth > deepestNesting) throw new ExpansionError('nested too deeply');
  let result = '';
  for (let index = 0; index < text.length; ) {
    const character = text[index] ?? '';
    if (character === '\\' && '$`\\'.includes(text[index + 1] ?? ' ')) {
      result += text[index + 1];
      index += 2;
    } else if (character === '`') {
      throw new ExpansionError('command substitution is not supported');
    } else if (character === '$') {
      const { value, end } = expandDollar(text, index, lookup, depth);
      result += value;
      index = end;
    } else {
      result += character;
      index += 1;
    }
  }
  return result;
}

function expandDollar(
  text: string,
  start: number,
  lookup: (name: string) => string,
  depth: number,
): { readonly value: string; readonly end: number } {
  if (text.startsWith('$((', start)) {
    const end = closingParenthesis(text, start + 1);
    if (text[end - 1] !== ')') throw new ExpansionError('command substitution is not supported');
    const expression = expandNested(text.slice(start + 3, end - 1), lookup, depth + 1);
    return { value: evaluateArithmetic(expression, lookup), end: end + 1 };
  }
  if (text[start + 1] === '(') throw new ExpansionError('command substitution is not supported');
  if (text[start + 1] === '{') {
    const end = closingBrace(text, start + 1);
    return { value: expandBraced(text.slice(start + 2, end), lookup, depth), end: end + 1 };
  }
  const name = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])/.exec(text.slice(start + 1))?.[0];
  if (name === undefined) return { value: '$', end: start + 1 };
  return { value: valueOf(name, lookup), end: start + 1 + name.length };
}

function expandBraced(inner: string, lookup: (name: string) => string, depth: number): string {
  const lengthOf = /^#([A-Za-z_][A-Za-z0-9_]*)$/.exec(inner)?.[1];
  if (lengthOf !== undefined) return String(Array.from(lookup(lengthOf)).length);
  const match = /^([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])([^]*)$/.exec(inner);
  if (match === null) throw new ExpansionError(`bad substitution: \${${inner}}`);
  const [, name = '', operator = ''] = match;
  return applyOperator(operator, {
    name,
    value: valueOf(name, lookup),
    lookup,
    expandWord: (word) => expandNested(word, lookup, depth + 1),
  });
}

/** Positional and special parameters are empty: there is no script. */
function valueOf(name: string, lookup: (name: string) => string): string {
  return /^[A-Za-z_]/.test(name) ? lookup(name) : '';
}

function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let index = open; index < text.length; index += 1) {
    const character = text[index];
    if (character === '\\') index += 1;
    else if (character === '{' && (index === open || text[index - 1] === '$')) depth += 1;
    else if (character === '}') {
      depth -= 1;
      if (depth === 0) return index;
    }
  }
  throw new ExpansionError('reached end of text without a matching "}"');
}

function closingParenthesis(text: string, open: number): number {
  let depth = 0;
  for (let index = open; index < text.length; index += 1) {
    if (text[index] === '(') depth += 1;
    else if (text[index] === ')') {
      depth -= 1;
      if (depth === 0) return index;
    }
  }
  throw new ExpansionError('reached end of text without a matching "))"');
}
