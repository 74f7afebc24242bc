import { expandBraces } from './braces.ts';
import { classEnd, type GlobToken, matchTokens, tokenize } from './glob-tokens.ts';

type Segment =
  | { readonly kind: 'literal'; readonly text: string; readonly isBase: boolean }
  | { readonly kind: 'tokens'; readonly tokens: readonly GlobToken[] }
  /** `**` as a whole segment: zero or more segments. */
  | { readonly kind: 'anyDepth'; readonly isLast: boolean }
  | { readonly kind: 'accept' };

/**
 * How far a pattern has matched a path: positions in the pattern, without duplicates.
 * Matching goes segment by segment, so one walk of a tree serves all patterns.
 */
export type GlobState = readonly number[];

export interface Glob {
  readonly segments: readonly Segment[];
  /** The state at the root of the tree. */
  readonly start: GlobState;
}

/**
 * Compiles a pattern relative to the root (spec cache-artifacts.md §2.2). `base` are literal segments before it;
 * an absent pattern means the base alone.
 * @throws GlobSyntaxError for a malformed pattern.
 */
export function compileGlob(base: readonly string[], pattern: string | undefined): Glob {
  const literals = base.map((text): Segment => ({ kind: 'literal', text, isBase: true }));
  const segments: Segment[] = [];
  const starts: number[] = [];
  for (const alternative of pattern === undefined ? [undefined] : expandBraces(pattern)) {
    starts.push(segments.length);
    segments.push(...literals);
    if (alternative !== undefined) segments.push(...parseSegments(alternative));
    segments.push({ kind: 'accept' });
  }
  return { segments, start: close(segments, starts) };
}

/** The state after one more segment. */
export function advance(glob: Glob, state: GlobState, name: string): GlobState {
  const next: number[] = [];
  for (const position of state) {
    const segment = glob.segments[position];
    if (segment === undefined || segment.kind === 'accept') continue;
    if (segment.kind === 'anyDepth') next.push(position);
    else if (segment.kind === 'literal' ? segment.text === name : matchTokens(segment.tokens, name)) {
      next.push(position + 1);
    }
  }
  return next.length === 0 ? next : close(glob.segments, next);
}

/** Whether the path so far matches as a whole. */
export function isMatch(glob: Glob, state: GlobState): boolean {
  return state.some((position) => glob.segments[position]?.kind === 'accept');
}

/** Whether a longer path can still match. */
export function isAlive(glob: Glob, state: GlobState): boolean {
  return state.some((position) => glob.segments[position]?.kind !== 'accept');
}

/** Whether every longer path matches. */
export function coversEverythingBelow(glob: Glob, state: GlobState): boolean {
  return state.some((position) => {
    const segment = glob.segments[position];
    return segment?.kind === 'anyDepth' && segment.isLast;
  });
}

/** The only names that can follow, or undefined where a wildcard can. */
export function possibleNames(glob: Glob, state: GlobState): readonly string[] | undefined {
  const names: string[] = [];
  for (const position of state) {
    const segment = glob.segments[position];
    if (segment?.kind === 'literal') names.push(segment.text);
    else if (segment !== undefined && segment.kind !== 'accept') return undefined;
  }
  return names;
}

/** The part of a state that has matched nothing but the literal base: only there are links followed. */
export function onlyThroughBase(glob: Glob, state: GlobState): GlobState {
  return state.filter((position) => {
    const segment = glob.segments[position];
    let last = position - 1;
    // A position behind `**` that has matched nothing yet stands at the same place.
    while (glob.segments[last]?.kind === 'anyDepth') last -= 1;
    const previous = glob.segments[last];
    return segment?.kind !== 'accept' && previous?.kind === 'literal' && previous.isBase;
  });
}

/** Whether a whole path (`/`-separated, relative) matches. */
export function matchesPath(glob: Glob, path: string): boolean {
  let state = glob.start;
  for (const name of path.split('/')) {
    state = advance(glob, state, name);
    if (state.length === 0) return false;
  }
  return isMatch(glob, state);
}

function close(segments: readonly Segment[], positions: readonly number[]): GlobState {
  const closed = new Set(positions);
  for (const position of closed) {
    if (segments[position]?.kind === 'anyDepth') closed.add(position + 1);
  }
  return [...closed];
}

function parseSegments(pattern: string): readonly Segment[] {
  const texts = splitSegments(pattern);
  return texts.map((text, index): Segment => {
    if (text === '**') return { kind: 'anyDepth', isLast: index === texts.length - 1 };
    const tokens = tokenize(text);
    const literal = literalText(tokens);
    return literal === undefined ? { kind: 'tokens', tokens } : { kind: 'literal', text: literal, isBase: false };
  });
}

function literalText(tokens: readonly GlobToken[]): string | undefined {
  let text = '';
  for (const token of tokens) {
    if (token.kind !== 'character') return undefined;
    text += token.character;
  }
  return text;
}

function splitSegments(pattern: string): readonly string[] {
  const segments: string[] = [];
  let start = 0;
  for (let index = 0; index < pattern.length; index += 1) {
    const character = pattern[index];
    if (character === '\\') index += 1;
    else if (character === '[') index = classEnd(pattern, index);
    else if (character === '/') {
      segments.push(pattern.slice(start, index));
      start = index + 1;
    }
  }
  return [...segments, pattern.slice(start)];
}
