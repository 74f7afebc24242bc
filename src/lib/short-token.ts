const LEADING_MARKS = [/^(?:glrt-(?:t[123]_)?|t[123]_|glrtr-)/, /^glcbt-/, /^GR[0-9A-Fa-f]{7}/];

/** The part of a runner token that may be shown and that names folders (spec protocol.md §8.2). */
export function shortToken(token: string): string {
  let rest = token;
  for (const mark of LEADING_MARKS) rest = rest.replace(mark, '');
  return rest.slice(0, 9);
}
