export type BinaryOperator = '==' | '!=' | '=~' | '!~' | '&&' | '||';

export type Token =
  | { readonly kind: 'open' | 'close' | 'not' }
  | { readonly kind: 'null' }
  | { readonly kind: 'variable' | 'input' | 'regex'; readonly text: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'operator'; readonly operator: BinaryOperator };

/** The text is no rule expression; `offset` is where reading stopped. */
export class ExpressionSyntaxError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = 'ExpressionSyntaxError';
    this.offset = offset;
  }
}

const MAX_TOKENS = 100;

type Rule = readonly [pattern: RegExp, token: (match: RegExpExecArray) => Token];

/** In the order in which they are tried (spec local-pipeline.md §7). */
const RULES: readonly Rule[] = [
  [/\(/y, () => ({ kind: 'open' })],
  [/\)/y, () => ({ kind: 'close' })],
  [/\$\[\[\s*inputs\.([\w-]+)\s*\]\]/y, (match) => ({ kind: 'input', text: match[1] ?? '' })],
  [/\$(\w+)/y, (match) => ({ kind: 'variable', text: match[1] ?? '' })],
  [/"([^"]*)"|'([^']*)'/y, (match) => ({ kind: 'string', text: match[1] ?? match[2] ?? '' })],
  [/\/(?:[^/]|\\\/)+[^\\]\/[ismU]*/y, (match) => ({ kind: 'regex', text: match[0] })],
  [/null/y, () => ({ kind: 'null' })],
  [/\b(?:true|false)\b/y, (match) => ({ kind: 'boolean', value: match[0] === 'true' })],
  [/==|=~|!=|!~|&&|\|\|/y, (match) => ({ kind: 'operator', operator: match[0] as BinaryOperator })],
  [/!/y, () => ({ kind: 'not' })],
];

/** Cuts a rule expression into tokens. Throws `ExpressionSyntaxError`. */
export function lexExpression(text: string): readonly { readonly token: Token; readonly offset: number }[] {
  const tokens: { token: Token; offset: number }[] = [];
  let offset = skipSpace(text, 0);
  while (offset < text.length) {
    const match = nextToken(text, offset);
    if (match === undefined) throw new ExpressionSyntaxError(unknownText(text, offset), offset);
    tokens.push({ token: match.token, offset });
    if (tokens.length > MAX_TOKENS) throw new ExpressionSyntaxError('Too many tokens!', offset);
    offset = skipSpace(text, match.end);
  }
  return tokens;
}

function nextToken(text: string, offset: number): { token: Token; end: number } | undefined {
  for (const [pattern, token] of RULES) {
    pattern.lastIndex = offset;
    const match = pattern.exec(text);
    if (match !== null) return { token: token(match), end: pattern.lastIndex };
  }
  return undefined;
}

function skipSpace(text: string, offset: number): number {
  let end = offset;
  while (end < text.length && /\s/.test(text[end] ?? '')) end++;
  return end;
}

function unknownText(text: string, offset: number): string {
  const rest = text.slice(offset);
  if (rest.startsWith('${')) return 'write $NAME instead of ${NAME}';
  if (/^\/.\//.test(rest)) return 'a regular expression needs two or more characters between its slashes';
  return `cannot read ${JSON.stringify(rest.slice(0, 20))}`;
}
