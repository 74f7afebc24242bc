import { classEnd, GlobSyntaxError } from './glob-tokens.ts';

/** More alternatives than anybody writes by hand; beyond it a pattern would only eat memory. */
const mostAlternatives = 4096;

/**
 * The patterns that a pattern with `{a,b,}` stands for. Braces nest, may be empty and may hold `/`.
 * @throws GlobSyntaxError where a brace or class does not end, or there are too many alternatives.
 */
export function expandBraces(pattern: string): readonly string[] {
  const open = firstBrace(pattern);
  if (open < 0) return [pattern];
  const close = closingBrace(pattern, open);
  const before = pattern.slice(0, open);
  const after = expandBraces(pattern.slice(close + 1));
  const results: string[] = [];
  for (const alternative of splitAlternatives(pattern.slice(open + 1, close))) {
    for (const inner of expandBraces(alternative)) {
      for (const rest of after) results.push(before + inner + rest);
      if (results.length > mostAlternatives) throw new GlobSyntaxError();
    }
  }
  return results;
}

function firstBrace(pattern: string): number {
  for (let index = 0; index < pattern.length; index += 1) {
    const character = pattern[index];
    if (character === '\\') index += 1;
    else if (character === '[') index = classEnd(pattern, index);
    else if (character === '{') return index;
  }
  return -1;
}

function closingBrace(pattern: string, open: number): number {
  let depth = 0;
  for (let index = open; index < pattern.length; index += 1) {
    const character = pattern[index];
    if (character === '\\') index += 1;
    else if (character === '{') depth += 1;
    else if (character === '}') {
      depth -= 1;
      if (depth === 0) return index;
    }
  }
  throw new GlobSyntaxError();
}

function splitAlternatives(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '\\') index += 1;
    else if (character === '{') depth += 1;
    else if (character === '}') depth -= 1;
    else if (character === ',' && depth === 0) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  return [...parts, text.slice(start)];
}
