import { posix } from 'node:path';
import { compileGlob, type Glob } from './glob.ts';

/** How a `--path` or `--exclude` value reads (spec cache-artifacts.md §2.1). */
export type PathPattern =
  | { readonly kind: 'pattern'; readonly glob: Glob }
  | { readonly kind: 'empty' }
  /** It leads out of the root. */
  | { readonly kind: 'outside' };

/**
 * Reads a pattern against the root directory (absolute). Absolute patterns inside the root are fine.
 * @throws GlobSyntaxError for a malformed pattern.
 */
export function parsePathPattern(text: string, root: string): PathPattern {
  if (text === '') return { kind: 'empty' };
  const cleanRoot = withoutTrailingSlash(posix.normalize(root));
  const { base, pattern } = splitPattern(text);
  const resolved = posix.resolve(cleanRoot, base);
  const relative = posix.relative(cleanRoot, resolved);
  if (relative === '..' || relative.startsWith('../')) return { kind: 'outside' };
  const baseSegments = relative === '' ? [] : relative.split('/');
  const joined = joinLexically(baseSegments, pattern);
  return joined === undefined
    ? { kind: 'outside' }
    : { kind: 'pattern', glob: compileGlob(joined.base, joined.pattern) };
}

/** Cuts at the last `/` before the first unescaped wildcard. The base is free of escapes. */
function splitPattern(text: string): { readonly base: string; readonly pattern: string | undefined } {
  if (!/[*?[{]/.test(text)) return { base: text, pattern: undefined };
  let slash = -1;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] ?? '';
    if (character === '\\') index += 1;
    else if (character === '/') slash = index;
    else if ('*?[{'.includes(character)) break;
  }
  if (slash < 0) return { base: '.', pattern: text };
  return { base: unescape(text.slice(0, slash)) || '/', pattern: text.slice(slash + 1) };
}

function unescape(text: string): string {
  return text.replace(/\\(.)/gsu, '$1');
}

/** Drops `.` and empty segments of the pattern and lets `..` take back the segment before it. */
function joinLexically(
  base: readonly string[],
  pattern: string | undefined,
): { readonly base: readonly string[]; readonly pattern: string | undefined } | undefined {
  const remaining = [...base];
  const kept: string[] = [];
  for (const segment of pattern?.split('/') ?? []) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') kept.push(segment);
    else if (kept.pop() === undefined && remaining.pop() === undefined) return undefined;
  }
  return { base: remaining, pattern: kept.length === 0 ? undefined : kept.join('/') };
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
