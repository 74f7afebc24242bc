/** Tests a path relative to the top of the work tree. */
export type PathMatcher = (path: string) => boolean;

const MAX_ALTERNATIVES = 1000;

/** Whether a text holds anything that a glob would not take literally. */
export function isGlob(pattern: string): boolean {
  return /[*?[{]/.test(pattern);
}

/**
 * A matcher with the rules GitLab uses for `changes` and `exists` (spec local-pipeline.md §8.1): `*` and `?` stop at
 * `/`, leading dots match, a `**` segment before `/` is zero or more directories, `{a,b}`, `[a-z]`, `[!a]`, `\` escapes.
 */
export function globMatcher(pattern: string): PathMatcher {
  const alternatives = expandBraces(pattern);
  if (alternatives.length === 1 && !isGlob(pattern) && !pattern.includes('\\')) return (path) => path === pattern;
  const expressions = alternatives.flatMap((alternative) => toRegExp(alternative) ?? []);
  return (path) => expressions.some((expression) => expression.test(path));
}

/** `a{b,c}d` → `abd`, `acd`; nested; an unclosed brace is literal. */
export function expandBraces(pattern: string): readonly string[] {
  const result: string[] = [];
  const pending = [pattern];
  while (pending.length > 0) {
    const current = pending.pop() ?? '';
    const group = firstBraceGroup(current);
    if (group === undefined || result.length + pending.length > MAX_ALTERNATIVES) {
      result.push(current);
      continue;
    }
    const before = current.slice(0, group.start);
    const after = current.slice(group.end + 1);
    pending.push(...group.parts.toReversed().map((part) => `${before}${part}${after}`));
  }
  return result;
}

function firstBraceGroup(text: string): { start: number; end: number; parts: string[] } | undefined {
  let start = -1;
  let depth = 0;
  let partStart = 0;
  const parts: string[] = [];
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '\\') index++;
    else if (character === '{') {
      if (depth++ === 0) {
        start = index;
        partStart = index + 1;
      }
    } else if (depth === 0) continue;
    else if (character === ',' && depth === 1) {
      parts.push(text.slice(partStart, index));
      partStart = index + 1;
    } else if (character === '}' && --depth === 0) {
      parts.push(text.slice(partStart, index));
      return { start, end: index, parts };
    }
  }
  return undefined;
}

/** Undefined for a pattern that can match nothing, such as an unclosed bracket. */
function toRegExp(pattern: string): RegExp | undefined {
  let source = '';
  let atSegmentStart = true;
  for (let index = 0; index < pattern.length; ) {
    if (atSegmentStart && pattern.startsWith('**/', index)) {
      if (!source.endsWith('(?:[^/]+/)*')) source += '(?:[^/]+/)*';
      index += 3;
      continue;
    }
    const piece = pieceAt(pattern, index);
    if (piece === undefined) return undefined;
    source += piece.source;
    index = piece.end;
    atSegmentStart = piece.source === '/';
  }
  try {
    return new RegExp(`^${source}$`, 'su');
  } catch {
    // a reversed range such as [z-a] matches nothing
    return undefined;
  }
}

function pieceAt(pattern: string, index: number): { source: string; end: number } | undefined {
  const character = String.fromCodePoint(pattern.codePointAt(index) ?? 0);
  switch (character) {
    case '*': {
      let end = index + 1;
      while (pattern[end] === '*') end++;
      return { source: '[^/]*', end };
    }
    case '?':
      return { source: '[^/]', end: index + 1 };
    case '[':
      return bracketAt(pattern, index);
    case '\\': {
      const next = pattern.codePointAt(index + 1);
      if (next === undefined) return { source: '\\\\', end: index + 1 };
      const literal = String.fromCodePoint(next);
      return { source: escapeLiteral(literal), end: index + 1 + literal.length };
    }
    default:
      return { source: escapeLiteral(character), end: index + character.length };
  }
}

function bracketAt(pattern: string, start: number): { source: string; end: number } | undefined {
  let index = start + 1;
  const negated = pattern[index] === '!' || pattern[index] === '^';
  if (negated) index++;
  let members = '';
  for (; index < pattern.length && pattern[index] !== ']'; index++) {
    const character = pattern[index] ?? '';
    if (character === '\\' && index + 1 < pattern.length) {
      index++;
      members += escapeMember(pattern[index] ?? '');
    } else {
      members += character === '-' ? '-' : escapeMember(character);
    }
  }
  if (index >= pattern.length || members === '') return undefined;
  return { source: `(?!/)[${negated ? '^' : ''}${members.replace(/^-|-$/g, '\\-')}]`, end: index + 1 };
}

function escapeLiteral(character: string): string {
  return /[\\^$.*+?()[\]{}|]/.test(character) ? `\\${character}` : character;
}

function escapeMember(character: string): string {
  return /[\\\]^[-]/.test(character) ? `\\${character}` : character;
}
