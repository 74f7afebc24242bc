/** One part of a path segment's pattern. */
export type GlobToken =
  | { readonly kind: 'character'; readonly character: string }
  /** Exactly one character. */
  | { readonly kind: 'one' }
  /** Any run of characters. */
  | { readonly kind: 'many' }
  | {
      readonly kind: 'class';
      readonly isNegated: boolean;
      readonly ranges: readonly { readonly from: number; readonly to: number }[];
    };

export class GlobSyntaxError extends Error {
  constructor() {
    super('syntax error in pattern');
    this.name = 'GlobSyntaxError';
  }
}

/**
 * Where the character class that opens at `start` ends (index of its `]`).
 * @throws GlobSyntaxError where it is empty or never ends.
 */
export function classEnd(pattern: string, start: number): number {
  let index = start + 1;
  if (pattern[index] === '!' || pattern[index] === '^') index += 1;
  if (pattern[index] === ']') throw new GlobSyntaxError();
  for (; index < pattern.length; index += 1) {
    if (pattern[index] === '\\') index += 1;
    else if (pattern[index] === ']') return index;
  }
  throw new GlobSyntaxError();
}

/** The tokens of one segment, braces already expanded. */
export function tokenize(segment: string): readonly GlobToken[] {
  const tokens: GlobToken[] = [];
  for (let index = 0; index < segment.length; ) {
    const character = characterAt(segment, index);
    if (character === '[') {
      const end = classEnd(segment, index);
      tokens.push(parseClass(segment.slice(index + 1, end)));
      index = end + 1;
    } else if (character === '\\') {
      if (index + 1 >= segment.length) throw new GlobSyntaxError();
      const escaped = characterAt(segment, index + 1);
      tokens.push({ kind: 'character', character: escaped });
      index += 1 + escaped.length;
    } else {
      index += character.length;
      if (character !== '*') tokens.push(character === '?' ? { kind: 'one' } : { kind: 'character', character });
      else if (tokens.at(-1)?.kind !== 'many') tokens.push({ kind: 'many' });
    }
  }
  return tokens;
}

/** Whether a whole name matches. Time is bounded by the product of the lengths, whatever the pattern. */
export function matchTokens(tokens: readonly GlobToken[], name: string): boolean {
  const characters: ArrayLike<string> = /[\ud800-\udbff]/.test(name) ? Array.from(name) : name;
  let token = 0;
  let position = 0;
  let starToken = -1;
  let starPosition = 0;
  while (position < characters.length) {
    const current = tokens[token];
    if (current?.kind === 'many') {
      starToken = token;
      starPosition = position;
      token += 1;
    } else if (current !== undefined && matchOne(current, characters[position] ?? '')) {
      token += 1;
      position += 1;
    } else if (starToken >= 0) {
      starPosition += 1;
      position = starPosition;
      token = starToken + 1;
    } else {
      return false;
    }
  }
  while (tokens[token]?.kind === 'many') token += 1;
  return token === tokens.length;
}

function matchOne(token: GlobToken, character: string): boolean {
  if (token.kind === 'character') return token.character === character;
  if (token.kind !== 'class') return true;
  const code = character.codePointAt(0) ?? 0;
  return token.ranges.some((range) => code >= range.from && code <= range.to) !== token.isNegated;
}

function parseClass(text: string): GlobToken {
  const isNegated = text.startsWith('!') || text.startsWith('^');
  const members = classMembers(isNegated ? text.slice(1) : text);
  const ranges: { from: number; to: number }[] = [];
  for (let index = 0; index < members.length; index += 1) {
    const from = members[index]?.code ?? 0;
    const isRange = members[index + 1]?.isDash === true && index + 2 < members.length;
    ranges.push({ from, to: isRange ? (members[index + 2]?.code ?? from) : from });
    if (isRange) index += 2;
  }
  return { kind: 'class', isNegated, ranges };
}

function classMembers(text: string): readonly { readonly code: number; readonly isDash: boolean }[] {
  const members: { code: number; isDash: boolean }[] = [];
  for (let index = 0; index < text.length; ) {
    const isEscaped = text[index] === '\\' && index + 1 < text.length;
    const character = characterAt(text, isEscaped ? index + 1 : index);
    members.push({ code: character.codePointAt(0) ?? 0, isDash: character === '-' && !isEscaped });
    index += character.length + (isEscaped ? 1 : 0);
  }
  return members;
}

function characterAt(text: string, index: number): string {
  return String.fromCodePoint(text.codePointAt(index) ?? 0);
}
