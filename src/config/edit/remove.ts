import type { AST } from 'toml-eslint-parser';
import { spliced, startOfLine, startOfNextLine } from './lines.ts';

/** Removes a key with its value: its lines, or its place in an inline table. */
export function removeKeyValue(text: string, keyValue: AST.TOMLKeyValue): string {
  const { parent } = keyValue;
  if (parent.type === 'TOMLInlineTable') return removeListItem(text, parent.body, parent.body.indexOf(keyValue));
  return spliced(text, startOfLine(text, keyValue.range[0]), startOfNextLine(text, keyValue.range[1]), '');
}

/** Removes one of several things with commas between them. */
export function removeListItem(
  text: string,
  items: readonly { readonly range: readonly [number, number] }[],
  index: number,
): string {
  const item = items[index];
  if (item === undefined) return text;
  const [start, end] = item.range;
  const next = items[index + 1];
  if (next !== undefined) return spliced(text, start, next.range[0], '');
  const previous = items[index - 1];
  if (previous !== undefined) return spliced(text, previous.range[1], end, '');
  const comma = /^\s*,/.exec(text.slice(end))?.[0].length ?? 0;
  return spliced(text, start, end + comma, '');
}

/** Removes tables with their headers. Sections that follow one another go together, with what stands between them. */
export function removeSections(
  text: string,
  sections: readonly AST.TOMLTable[],
  all: readonly AST.TOMLTable[],
): string {
  const doomed = new Set(sections);
  const runs: { start: number; end: number }[] = [];
  let isOpen = false;
  for (const section of all) {
    const isDoomed = doomed.has(section);
    const run = isOpen ? runs.at(-1) : undefined;
    if (isDoomed && run !== undefined) run.end = section.range[1];
    else if (isDoomed) runs.push({ start: section.range[0], end: section.range[1] });
    isOpen = isDoomed;
  }
  return runs.toReversed().reduce((edited, run) => removeLines(edited, run.start, run.end), text);
}

/** A blank line before goes too where it would stand at the end or beside another one. */
function removeLines(text: string, from: number, to: number): string {
  const start = startOfLine(text, from);
  const end = startOfNextLine(text, to);
  const rest = text.slice(end);
  const blank = /(?:^|\n)([ \t]*\r?\n)$/.exec(text.slice(0, start))?.[1]?.length ?? 0;
  const isBlankAfter = rest === '' || /^[ \t]*\r?\n/.test(rest);
  return spliced(text, isBlankAfter ? start - blank : start, end, '');
}
