import { TomlFloat } from '../toml-document.ts';

/** What can be written into a TOML text. A number is written as an integer; a float is a `TomlFloat`. */
export type TomlValue =
  | string
  | number
  | bigint
  | boolean
  | Date
  | TomlFloat
  | readonly TomlValue[]
  | { readonly [key: string]: TomlValue };

export type TomlTableValue = { readonly [key: string]: TomlValue };

const escapes: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
};

/** A value on one line; tables are written inline. */
export function valueText(value: TomlValue): string {
  if (typeof value === 'string') return stringText(value);
  if (value instanceof TomlFloat) return floatText(value.value);
  if (value instanceof Date) return dateText(value);
  if (isList(value)) return `[${value.map(valueText).join(', ')}]`;
  if (typeof value !== 'object') return String(value);
  const members = Object.entries(value).map(([key, member]) => `${keyText(key)} = ${valueText(member)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

export function keyText(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : stringText(key);
}

export function isList(value: TomlValue): value is readonly TomlValue[] {
  return Array.isArray(value);
}

export function isTable(value: TomlValue): value is TomlTableValue {
  return typeof value === 'object' && !isList(value) && !(value instanceof Date) && !(value instanceof TomlFloat);
}

/**
 * The lines of a table under its header, as the Go runner writes them: keys first, then the tables below it, each
 * level two spaces further in.
 * @param header with its brackets, like `[[runners]]`; empty = the top of a file.
 */
export function tableLines(header: string, path: readonly string[], table: TomlTableValue, depth: number): string[] {
  const indent = '  '.repeat(depth);
  const inner = header === '' ? '' : `${indent}  `;
  const lines = header === '' ? [] : [`${indent}${header}`];
  const below: string[] = [];
  for (const [key, value] of Object.entries(table)) {
    const full = [...path, key];
    const name = full.map(keyText).join('.');
    const nextDepth = header === '' ? 0 : depth + 1;
    if (isTable(value)) below.push(...tableLines(`[${name}]`, full, value, nextDepth));
    else if (isList(value) && value.length > 0 && value.every(isTable)) {
      for (const item of value) below.push(...tableLines(`[[${name}]]`, full, item, nextDepth));
    } else lines.push(`${inner}${keyText(key)} = ${valueText(value)}`);
  }
  return [...lines, ...below];
}

function stringText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to be escaped
  const escaped = text.replace(/["\\\u0000-\u001f\u007f]/g, (character) => {
    return escapes[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `"${escaped}"`;
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** The year 1 is how the Go runner writes "never". */
function dateText(date: Date): string {
  return date.toISOString().replace(/\.000Z$/, 'Z');
}
