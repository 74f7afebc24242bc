import type { JsonValue } from '../../lib/json.ts';

/** Where a node was written; kept through includes, merges and extends. */
export interface Position {
  /** Path relative to the top of the work tree. */
  readonly file: string;
  /** From 1; 0 = the file as a whole. */
  readonly line: number;
  readonly column: number;
}

export type ScalarType = 'string' | 'integer' | 'float' | 'boolean' | 'null';

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly type: ScalarType;
  /** The value as GitLab's `to_s` writes it: `1.10` is `1.1`, null is empty. */
  readonly text: string;
  readonly at: Position;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly YamlNode[];
  readonly hasReference: boolean;
  readonly at: Position;
}

export interface MapEntry {
  readonly key: string;
  readonly keyAt: Position;
  readonly value: YamlNode;
  /** Text of the comment lines directly above. */
  readonly comment?: string;
}

export interface MapNode {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, MapEntry>;
  readonly hasReference: boolean;
  readonly at: Position;
}

/** `!reference [a, b]`, until it is resolved. */
export interface ReferenceNode {
  readonly kind: 'reference';
  readonly path: readonly string[];
  readonly at: Position;
}

export type YamlNode = ScalarNode | ListNode | MapNode | ReferenceNode;

export function scalar(type: ScalarType, text: string, at: Position): ScalarNode {
  return { kind: 'scalar', type, text, at };
}

export function textNode(text: string, at: Position): ScalarNode {
  return scalar('string', text, at);
}

export function list(items: readonly YamlNode[], at: Position): ListNode {
  return { kind: 'list', items, hasReference: items.some(hasReference), at };
}

export function map(entries: Iterable<MapEntry>, at: Position): MapNode {
  const byKey = new Map<string, MapEntry>();
  let referring = false;
  for (const entry of entries) {
    byKey.set(entry.key, entry);
    referring ||= hasReference(entry.value);
  }
  return { kind: 'map', entries: byKey, hasReference: referring, at };
}

export function hasReference(node: YamlNode): boolean {
  return node.kind === 'reference' || (node.kind !== 'scalar' && node.hasReference);
}

export function isNull(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.type === 'null';
}

/** The value of a key; a null value counts as absent, as GitLab's schema has it. */
export function valueOf(node: MapNode, key: string): YamlNode | undefined {
  const value = node.entries.get(key)?.value;
  return value === undefined || isNull(value) ? undefined : value;
}

export function withoutKeys(node: MapNode, ...keys: readonly string[]): MapNode {
  if (!keys.some((key) => node.entries.has(key))) return node;
  return map(
    node.entries.values().filter((entry) => !keys.includes(entry.key)),
    node.at,
  );
}

/** A scalar as the data it stands for. */
export function scalarValue(node: ScalarNode): string | number | boolean | null {
  if (node.type === 'string') return node.text;
  if (node.type === 'boolean') return node.text === 'true';
  return node.type === 'null' ? null : numberOf(node.text);
}

/** A node as plain data; references that are left become `{"!reference": [...]}`. */
export function toPlain(node: YamlNode): JsonValue {
  if (node.kind === 'scalar') return scalarValue(node);
  if (node.kind === 'list') return node.items.map(toPlain);
  if (node.kind === 'reference') return { '!reference': node.path };
  return Object.fromEntries(node.entries.values().map((entry) => [entry.key, toPlain(entry.value)]));
}

/** Plain data as nodes, all at one place; for values from the command line. */
export function fromPlain(value: JsonValue, at: Position): YamlNode {
  if (value === null) return scalar('null', '', at);
  if (typeof value === 'string') return textNode(value, at);
  if (typeof value === 'boolean') return scalar('boolean', String(value), at);
  if (typeof value === 'number') return scalar(Number.isInteger(value) ? 'integer' : 'float', String(value), at);
  if (isList(value)) {
    return list(
      value.map((item) => fromPlain(item, at)),
      at,
    );
  }
  return map(
    Object.entries(value).map(([key, item]) => ({ key, keyAt: at, value: fromPlain(item, at) })),
    at,
  );
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function numberOf(text: string): number {
  if (text === 'Infinity') return Number.POSITIVE_INFINITY;
  if (text === '-Infinity') return Number.NEGATIVE_INFINITY;
  return Number(text);
}
