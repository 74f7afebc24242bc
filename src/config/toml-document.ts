import type { AST } from 'toml-eslint-parser';
import { ConfigError } from '../lib/errors.ts';

/** Counted from 1. */
export interface TomlPosition {
  readonly line: number;
  readonly column: number;
}

/** A value of a TOML document that knows where it stands. */
export type TomlNode = TomlTable | TomlArray | TomlScalar;

export interface TomlTable {
  readonly kind: 'table';
  readonly at: TomlPosition;
  readonly entries: Map<string, TomlNode>;
  /** Where the names of its keys stand. */
  readonly keyPositions?: Map<string, TomlPosition>;
}

export interface TomlArray {
  readonly kind: 'array';
  readonly at: TomlPosition;
  readonly items: TomlNode[];
}

export interface TomlScalar {
  readonly kind: 'scalar';
  readonly at: TomlPosition;
  readonly value: string | number | bigint | boolean | Date;
  /** Floats are kept apart from integers: an integer is expected more often than not. */
  readonly isFloat: boolean;
}

/** Marks a float in plain data that is checked against a schema. */
export class TomlFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** Plain data whose marked floats are numbers again. */
export function withoutFloatMarks(value: unknown): unknown {
  if (value instanceof TomlFloat) return value.value;
  if (Array.isArray(value)) return value.map(withoutFloatMarks);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withoutFloatMarks(member)]));
}

/**
 * Reads a TOML text.
 * @throws ConfigError with `path:line:column` in front.
 */
export async function parseTomlDocument(text: string, path: string): Promise<TomlTable> {
  const { parseTOML, ParseError } = await import('toml-eslint-parser');
  let program: AST.TOMLProgram;
  try {
    program = parseTOML(text, { tomlVersion: '1.1' });
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const at = `${path}:${error.lineNumber}:${error.column + 1}`;
    throw new ConfigError(`decoding configuration file: ${at}: ${error.message}`, { cause: error });
  }
  const [top] = program.body;
  const root = newTable({ line: 1, column: 1 });
  for (const item of top.body) {
    if (item.type === 'TOMLKeyValue') addKeyValue(root, item);
    else addTable(root, item);
  }
  return root;
}

/** The document as plain objects and arrays; with `floats: 'marked'` every float is a `TomlFloat`. */
export function plainValue(node: TomlNode, floats: 'marked' | 'plain'): unknown {
  switch (node.kind) {
    case 'table':
      return Object.fromEntries([...node.entries].map(([key, value]) => [key, plainValue(value, floats)]));
    case 'array':
      return node.items.map((item) => plainValue(item, floats));
    case 'scalar':
      return node.isFloat && floats === 'marked' ? new TomlFloat(Number(node.value)) : node.value;
  }
}

/** The node at a path of keys and indexes, or the nearest one above it. */
export function nodeAt(root: TomlNode, path: readonly PropertyKey[]): TomlNode {
  let node = root;
  for (const key of path) {
    const next: TomlNode | undefined =
      node.kind === 'table'
        ? node.entries.get(String(key))
        : node.kind === 'array'
          ? node.items[Number(key)]
          : undefined;
    if (next === undefined) return node;
    node = next;
  }
  return node;
}

function addTable(root: TomlTable, table: AST.TOMLTable): void {
  let parent: TomlNode = root;
  let nameIndex = 0;
  for (const [index, key] of table.resolvedKey.entries()) {
    const isList = typeof table.resolvedKey[index + 1] === 'number';
    parent = childOf(parent, key, isList, positionOf(table), positionOf(table.key.keys[nameIndex] ?? table));
    if (typeof key === 'string') nameIndex += 1;
  }
  if (parent.kind !== 'table') return;
  for (const item of table.body) addKeyValue(parent, item);
}

function newTable(at: TomlPosition): TomlTable {
  return { kind: 'table', at, entries: new Map(), keyPositions: new Map() };
}

function childOf(
  parent: TomlNode,
  key: string | number,
  isList: boolean,
  at: TomlPosition,
  keyAt: TomlPosition,
): TomlNode {
  const created: TomlNode = isList ? { kind: 'array', at, items: [] } : newTable(at);
  if (parent.kind === 'table') {
    const known = parent.entries.get(String(key));
    if (known !== undefined) return known;
    parent.entries.set(String(key), created);
    parent.keyPositions?.set(String(key), keyAt);
  } else if (parent.kind === 'array') {
    const known = parent.items[Number(key)];
    if (known !== undefined) return known;
    parent.items[Number(key)] = created;
  }
  return created;
}

function addKeyValue(table: TomlTable, item: AST.TOMLKeyValue): void {
  const names = item.key.keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value));
  let parent: TomlNode = table;
  const positions = item.key.keys.map(positionOf);
  const itemAt = positionOf(item);
  for (const [index, name] of names.slice(0, -1).entries()) {
    parent = childOf(parent, name, false, itemAt, positions[index] ?? itemAt);
  }
  if (parent.kind !== 'table') return;
  parent.entries.set(names.at(-1) ?? '', valueNode(item.value));
  parent.keyPositions?.set(names.at(-1) ?? '', positions.at(-1) ?? itemAt);
}

function valueNode(node: AST.TOMLContentNode): TomlNode {
  const at = positionOf(node);
  if (node.type === 'TOMLArray') return { kind: 'array', at, items: node.elements.map(valueNode) };
  if (node.type === 'TOMLInlineTable') {
    const table = newTable(at);
    for (const item of node.body) addKeyValue(table, item);
    return table;
  }
  const isBig = node.kind === 'integer' && !Number.isSafeInteger(node.value);
  return { kind: 'scalar', at, value: isBig ? node.bigint : node.value, isFloat: node.kind === 'float' };
}

function positionOf(node: AST.TOMLNode): TomlPosition {
  return { line: node.loc.start.line, column: node.loc.start.column + 1 };
}
