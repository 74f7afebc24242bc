import { isDeepStrictEqual } from 'node:util';
import type { AST } from 'toml-eslint-parser';
import { ConfigError } from '../../lib/errors.ts';
import { parseTomlDocument, plainValue, withoutFloatMarks } from '../toml-document.ts';
import { appendItem, appendSection, insertKey, insertTable } from './insert.ts';
import { removeKeyValue, removeListItem, removeSections } from './remove.ts';
import { type Layout, layoutOf, type TableLayout } from './toml-layout.ts';
import { type TomlTableValue, type TomlValue, valueText } from './toml-text.ts';

/** Keys and indexes that lead to a value; keys are found in whatever letter case, the exact one first. */
export type TomlPath = readonly (string | number)[];

/**
 * Edits the text of a TOML document: comments, order and every byte that is not about the edited value stay. Each edit
 * is checked by reading the new text, so that a layout nobody thought of is an error and never a damaged file.
 */
export interface TomlEditor {
  text(): string;
  /** The document as plain data. */
  value(): Readonly<Record<string, unknown>>;
  /** Replaces a value, or adds it with the tables that lead to it. @throws ConfigError */
  set(path: TomlPath, value: TomlValue): void;
  /** Removes a key or a table with all in it; what is not there is fine. @throws ConfigError */
  remove(path: TomlPath): void;
  /** Adds an entry at the end of an array of tables like `[[runners]]`. @throws ConfigError */
  append(key: string, entry: TomlTableValue): void;
}

/** @throws ConfigError when the text is not TOML; `path` is for the message. */
export async function editToml(source: string, path: string): Promise<TomlEditor> {
  const { parseTOML } = await import('toml-eslint-parser');
  // The whole document is read once with good messages; what follows cannot fail to parse but by a bug of ours.
  let value = await read(source, path);
  let text = source;

  function layout(): TableLayout {
    return layoutOf(parseTOML(text, { tomlVersion: '1.1' }));
  }

  function accept(edited: string, expected: unknown, what: string, shape = (data: unknown) => data): void {
    const found: unknown = plainOf(parseTOML, edited);
    if (found === undefined || !isDeepStrictEqual(shape(found), shape(expected))) {
      throw new ConfigError(`${path}: ${what} cannot be edited in this file`, {
        hint: 'It is written in a way that the editor does not know: change it by hand.',
      });
    }
    text = edited;
    value = found as Readonly<Record<string, unknown>>;
  }

  return {
    text: () => text,
    value: () => value,
    set: (keys, wanted) => {
      const root = layout();
      const actual = actualPath(root, keys);
      accept(setText(text, root, actual, wanted), withValue(value, actual, plain(wanted)), keys.join('.'));
    },
    remove: (keys) => {
      const root = layout();
      const actual = actualPath(root, keys);
      if (layoutAt(root, actual) === undefined) return;
      accept(removedText(text, root, actual), withoutValue(value, actual), keys.join('.'), withoutEmpty);
    },
    append: (key, entry) => {
      const root = layout();
      const [actual = key] = actualPath(root, [key]);
      const list = root.entries.get(String(actual));
      const before = (value[String(actual)] ?? []) as readonly unknown[];
      const edited =
        list?.kind === 'array' && list.inline !== undefined
          ? appendItem(text, list.inline, entry)
          : appendSection(text, String(actual), entry);
      accept(edited, { ...value, [String(actual)]: [...before, plain(entry)] }, key);
    },
  };
}

async function read(text: string, path: string): Promise<Readonly<Record<string, unknown>>> {
  const root = plainValue(await parseTomlDocument(text, path), 'plain');
  return root as Readonly<Record<string, unknown>>;
}

type ParseToml = (text: string, options: { readonly tomlVersion: '1.1' }) => AST.TOMLProgram;

/** The value an edited text has, in the same form as `read` gives; undefined when it is not TOML any more. */
function plainOf(parse: ParseToml, text: string): unknown {
  try {
    return plainLayout(layoutOf(parse(text, { tomlVersion: '1.1' })));
  } catch {
    return undefined;
  }
}

function plainLayout(layout: Layout): unknown {
  if (layout.kind === 'table') {
    return Object.fromEntries([...layout.entries].map(([key, member]) => [key, plainLayout(member)]));
  }
  if (layout.kind === 'array') return layout.items.map(plainLayout);
  const { node } = layout;
  if (node.type !== 'TOMLValue') return undefined;
  return node.kind === 'integer' && !Number.isSafeInteger(node.value) ? node.bigint : node.value;
}

function plain(value: TomlValue): unknown {
  return withoutFloatMarks(value);
}

function actualPath(root: TableLayout, path: TomlPath): TomlPath {
  const actual: (string | number)[] = [];
  let place: Layout | undefined = root;
  for (const key of path) {
    const found: string | number = place?.kind === 'table' ? actualKey(place, String(key)) : key;
    actual.push(found);
    place = place === undefined ? undefined : step(place, found);
  }
  return actual;
}

function actualKey(table: TableLayout, key: string): string {
  if (table.entries.has(key)) return key;
  return [...table.entries.keys()].find((other) => other.toLowerCase() === key.toLowerCase()) ?? key;
}

function step(place: Layout, key: string | number): Layout | undefined {
  if (place.kind === 'table') return place.entries.get(String(key));
  return place.kind === 'array' ? place.items[Number(key)] : undefined;
}

function layoutAt(root: TableLayout, path: TomlPath): Layout | undefined {
  let place: Layout | undefined = root;
  for (const key of path) place = place === undefined ? undefined : step(place, key);
  return place;
}

function setText(text: string, root: TableLayout, path: TomlPath, value: TomlValue): string {
  const known = layoutAt(root, path);
  if (known !== undefined) return replaceText(text, known, value);
  let depth = path.length - 1;
  let parent = layoutAt(root, path.slice(0, depth));
  while (parent === undefined) {
    depth -= 1;
    parent = layoutAt(root, path.slice(0, depth));
  }
  if (parent.kind !== 'table') throw new ConfigError(`there is no ${path.join('.')} to set`);
  const missing = path.slice(depth).map(String);
  const place = { table: parent, path: path.slice(0, depth).filter((key) => typeof key === 'string') };
  return missing.length === 1 ? insertKey(text, place, missing, value) : insertTable(text, place, missing, value);
}

function replaceText(text: string, known: Layout, value: TomlValue): string {
  const node = known.kind === 'value' ? known.node : known.inline;
  if (node === undefined) throw new ConfigError('a table with its own header is set key by key');
  return `${text.slice(0, node.range[0])}${valueText(value)}${text.slice(node.range[1])}`;
}

function removedText(text: string, root: TableLayout, path: TomlPath): string {
  const layout = layoutAt(root, path);
  const parent = layoutAt(root, path.slice(0, -1));
  if (layout === undefined || parent === undefined) return text;
  if (parent.kind === 'array' && parent.inline !== undefined) {
    return removeListItem(text, parent.inline.elements, Number(path.at(-1)));
  }
  if (layout.kind !== 'table') {
    if (layout.keyValue !== undefined) return removeKeyValue(text, layout.keyValue);
    return removeSections(text, sectionsOf(layout), allSections(root));
  }
  if (layout.keyValue !== undefined) return removeKeyValue(text, layout.keyValue);
  let edited = removeSections(text, layout.sections, allSections(root));
  if (layout.dotted !== undefined && layout.sections.length === 0) {
    for (const keyValue of keyValuesOf(layout).toSorted((a, b) => b.range[0] - a.range[0])) {
      edited = removeKeyValue(edited, keyValue);
    }
  }
  return edited;
}

function allSections(root: TableLayout): readonly AST.TOMLTable[] {
  return root.sections;
}

function sectionsOf(layout: Layout): readonly AST.TOMLTable[] {
  if (layout.kind === 'table') return layout.sections;
  if (layout.kind === 'array') return layout.items.flatMap(sectionsOf);
  return [];
}

function keyValuesOf(layout: Layout): readonly AST.TOMLKeyValue[] {
  if (layout.kind === 'table' && layout.keyValue === undefined)
    return [...layout.entries.values()].flatMap(keyValuesOf);
  return layout.keyValue === undefined ? [] : [layout.keyValue];
}

function withValue(root: unknown, [key, ...rest]: TomlPath, wanted: unknown): unknown {
  if (key === undefined) return wanted;
  if (Array.isArray(root)) {
    return root.map((item: unknown, index) => (index === key ? withValue(item, rest, wanted) : item));
  }
  const table = (root ?? {}) as Readonly<Record<string, unknown>>;
  return { ...table, [key]: withValue(table[key], rest, wanted) };
}

function withoutValue(root: unknown, [key, ...rest]: TomlPath): unknown {
  if (Array.isArray(root)) {
    if (rest.length > 0) return root.map((item: unknown, index) => (index === key ? withoutValue(item, rest) : item));
    return root.filter((_item, index) => index !== key);
  }
  const table = { ...(root as Readonly<Record<string, unknown>>) };
  if (key === undefined) return table;
  if (rest.length > 0) return { ...table, [key]: withoutValue(table[key], rest) };
  delete table[key];
  return table;
}

/** A table without a header of its own is gone with its last key. */
function withoutEmpty(data: unknown): unknown {
  if (Array.isArray(data)) return data.length === 0 ? undefined : data.map(withoutEmpty);
  if (typeof data !== 'object' || data === null || data instanceof Date) return data;
  const members = Object.entries(data).map(([key, member]) => [key, withoutEmpty(member)] as const);
  const kept = members.filter(([, member]) => member !== undefined);
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}
