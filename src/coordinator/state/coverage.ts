import { RE2JS } from 're2js';

/** `2026-01-02T03:04:05.123456Z 00O ` in front of a line of a trace with timestamps; `+` continues the line before. */
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z [0-9a-f]{2}[OE][ +]?/;
const ESCAPES = /\u001B\[[0-9;]*[A-Za-z]/g;

/**
 * The coverage a trace names, in percent (spec local-pipeline.md §9.8): the last matching line counts, in it the last
 * match, in that the capture group if there is one, in that the first number.
 * @param pattern RE2 text without slashes; one that cannot be used finds nothing.
 */
export function findCoverage(trace: string, pattern: string): number | undefined {
  const expression = compile(pattern);
  if (expression === undefined) return undefined;
  const lines = trace.split(/\r?\n|\r/);
  for (let index = lines.length - 1; index >= 0; index -= 1) {
    const line = (lines[index] ?? '').replace(TIMESTAMP, '').replaceAll(ESCAPES, '');
    const number = /\d+(?:\.\d+)?/.exec(lastMatch(expression, line) ?? '');
    if (number !== null) return Number(number[0]);
  }
  return undefined;
}

function compile(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(pattern);
  } catch {
    return undefined;
  }
}

function lastMatch(expression: RE2JS, line: string): string | undefined {
  const matcher = expression.matcher(line);
  let found: string | undefined;
  while (matcher.find()) {
    found = (matcher.groupCount() > 0 ? matcher.group(1) : matcher.group()) ?? undefined;
  }
  return found;
}
