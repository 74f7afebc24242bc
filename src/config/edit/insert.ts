import type { AST } from 'toml-eslint-parser';
import { endOfLine, indentOf, lineBreakOf, spliced, startOfLine } from './lines.ts';
import type { TableLayout } from './toml-layout.ts';
import { keyText, type TomlTableValue, type TomlValue, tableLines, valueText } from './toml-text.ts';

/** A table that exists, and the names of the tables it lies in. */
export interface Place {
  readonly table: TableLayout;
  readonly path: readonly string[];
}

/** Adds a key to a table that exists, where a reader would look for it: behind its other keys. */
export function insertKey(text: string, place: Place, names: readonly string[], value: TomlValue): string {
  const { table } = place;
  const entry = `${names.map(keyText).join('.')} = ${valueText(value)}`;
  if (table.inline !== undefined) return insertInline(text, table.inline, entry);
  if (table.section !== undefined) return insertInSection(text, table.section, entry);
  if (table.dotted !== undefined) return insertDotted(text, table.dotted, entry);
  const [first] = table.sections;
  const at = first === undefined ? text.length : startOfLine(text, first.range[0]);
  const indent = first === undefined ? '' : indentOf(text, first.range[0]);
  const end = lineBreakOf(text);
  return spliced(text, at, at, `${indent}[${place.path.map(keyText).join('.')}]${end}${indent}  ${entry}${end}`);
}

/** Adds a key together with tables that are not there yet. */
export function insertTable(text: string, place: Place, names: readonly string[], value: TomlValue): string {
  const { table } = place;
  const isFlat = table.inline !== undefined || (table.dotted !== undefined && table.section === undefined);
  if (isFlat) return insertKey(text, place, names, value);
  const end = lineBreakOf(text);
  const last = table.sections.at(-1);
  const header = `[${[...place.path, ...names.slice(0, -1)].map(keyText).join('.')}]`;
  const entry = `${keyText(names.at(-1) ?? '')} = ${valueText(value)}`;
  if (last === undefined || table.section?.type === 'TOMLTopLevelTable') {
    return withLines(text, [...(text.trim() === '' ? [] : ['']), header, `  ${entry}`]);
  }
  const indent = `${indentOf(text, table.sections[0]?.range[0] ?? 0)}  `;
  const at = endOfLine(text, last.range[1]);
  return spliced(text, at, at, `${end}${indent}${header}${end}${indent}  ${entry}`);
}

/** Adds `[[name]]` with all that is in it at the end of the file. */
export function appendSection(text: string, name: string, entry: TomlTableValue): string {
  const lines = tableLines(`[[${keyText(name)}]]`, [name], entry, 0);
  return withLines(text, [...(text.trim() === '' ? [] : ['']), ...lines]);
}

/** Adds a table to an array that is written `[ … ]`. */
export function appendItem(text: string, list: AST.TOMLArray, entry: TomlTableValue): string {
  const last = list.elements.at(-1);
  const at = last === undefined ? list.range[0] + 1 : last.range[1];
  return spliced(text, at, at, last === undefined ? valueText(entry) : `, ${valueText(entry)}`);
}

function withLines(text: string, lines: readonly string[]): string {
  const end = lineBreakOf(text);
  const whole = text === '' || text.endsWith('\n') ? text : `${text}${end}`;
  return `${whole}${lines.map((line) => `${line}${end}`).join('')}`;
}

function insertInline(text: string, table: AST.TOMLInlineTable, entry: string): string {
  const last = table.body.at(-1);
  if (last !== undefined) return spliced(text, last.range[1], last.range[1], `, ${entry}`);
  const at = table.range[0] + 1;
  return spliced(text, at, at, ` ${entry} `);
}

function insertInSection(text: string, section: AST.TOMLTable | AST.TOMLTopLevelTable, entry: string): string {
  const end = lineBreakOf(text);
  const last = section.body.filter((item) => item.type === 'TOMLKeyValue').at(-1);
  if (last !== undefined) {
    const at = endOfLine(text, last.range[1]);
    return spliced(text, at, at, `${end}${indentOf(text, last.range[0])}${entry}`);
  }
  if (section.type === 'TOMLTopLevelTable') return `${entry}${end}${text}`;
  const at = endOfLine(text, section.range[1]);
  return spliced(text, at, at, `${end}${indentOf(text, section.range[0])}  ${entry}`);
}

function insertDotted(text: string, dotted: NonNullable<TableLayout['dotted']>, entry: string): string {
  const { keyValue, depth } = dotted;
  const names = keyValue.key.keys;
  const prefix = text.slice(names[0]?.range[0], names[depth - 1]?.range[1]);
  const isInline = keyValue.parent.type === 'TOMLInlineTable';
  const at = isInline ? keyValue.range[1] : endOfLine(text, keyValue.range[1]);
  const lead = isInline ? ', ' : `${lineBreakOf(text)}${indentOf(text, keyValue.range[0])}`;
  return spliced(text, at, at, `${lead}${prefix}.${entry}`);
}
