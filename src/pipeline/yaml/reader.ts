import { parseDuration, parseDurationOrNever } from '../durations.ts';
import type { Problems } from '../problems.ts';
import { type ListNode, type MapNode, type Position, type ScalarNode, valueOf, type YamlNode } from './nodes.ts';

/** A node together with its address in the configuration, for messages in GitLab's form (spec local-pipeline.md §14). */
export interface Entry {
  readonly node: YamlNode;
  /** Keys from the root joined with `:`, such as `jobs:build:image`. */
  readonly location: string;
  readonly problems: Problems;
}

/** `<location> config <text>` */
export function entryProblem(entry: Entry, text: string, at: Position = entry.node.at, hint?: string): void {
  entry.problems.add(`${entry.location} config ${text}`, at, hint);
}

/** The fields of a map entry; undefined, with a problem, if it is no map or has keys beside `allowed`. */
export function fieldsOf(
  entry: Entry,
  allowed: ReadonlySet<string> | undefined,
  expected = 'should be a hash',
): Fields | undefined {
  if (entry.node.kind !== 'map') {
    entryProblem(entry, expected);
    return undefined;
  }
  if (allowed !== undefined) rejectUnknownKeys(entry, entry.node, allowed);
  return new Fields(entry.node, entry.location, entry.problems);
}

function rejectUnknownKeys(entry: Entry, node: MapNode, allowed: ReadonlySet<string>): void {
  const unknown = [...node.entries.values()].filter((item) => !allowed.has(item.key));
  const first = unknown[0];
  if (first === undefined) return;
  entryProblem(entry, `contains unknown keys: ${unknown.map((item) => item.key).join(', ')}`, first.keyAt);
}

/** Reads typed values out of a map; what has the wrong type becomes a problem and undefined. */
export class Fields {
  readonly node: MapNode;
  readonly location: string;
  readonly problems: Problems;

  constructor(node: MapNode, location: string, problems: Problems) {
    this.node = node;
    this.location = location;
    this.problems = problems;
  }

  /** The value of a key, undefined if it is absent or null. */
  get(key: string): YamlNode | undefined {
    return valueOf(this.node, key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  entry(key: string): Entry | undefined {
    const node = this.get(key);
    return node === undefined ? undefined : { node, location: `${this.location}:${key}`, problems: this.problems };
  }

  /** Where to point for a key: its value, else the map. */
  at(key: string): Position {
    return this.node.entries.get(key)?.keyAt ?? this.node.at;
  }

  /** `<location> <attribute> <text>` */
  problem(key: string, text: string, at: Position = this.get(key)?.at ?? this.at(key), hint?: string): void {
    this.problems.add(`${this.location} ${key.replaceAll('_', ' ')} ${text}`, at, hint);
  }

  string(key: string): string | undefined {
    const node = this.get(key);
    if (node === undefined) return undefined;
    if (isText(node)) return node.text;
    return this.#wrong(key, 'should be a string', node.at);
  }

  /** A string that must be there and not blank. */
  required(key: string): string | undefined {
    if (!this.has(key)) return this.#wrong(key, "can't be blank", this.node.at);
    const value = this.string(key);
    return value?.trim() === '' ? this.#wrong(key, "can't be blank", this.at(key)) : value;
  }

  boolean(key: string): boolean | undefined {
    const node = this.get(key);
    if (node === undefined) return undefined;
    if (node.kind === 'scalar' && node.type === 'boolean') return node.text === 'true';
    return this.#wrong(key, 'should be a boolean value', node.at);
  }

  /** A list of strings. */
  strings(key: string): readonly string[] | undefined {
    const node = this.get(key);
    if (node === undefined) return undefined;
    const result = stringsOf(node);
    return result ?? this.#wrong(key, 'should be an array of strings', firstNonText(node).at);
  }

  /** A list of strings, or one string. */
  stringOrStrings(key: string): readonly string[] | undefined {
    const node = this.get(key);
    if (node === undefined) return undefined;
    if (isText(node)) return [node.text];
    return stringsOf(node) ?? this.#wrong(key, 'should be an array of strings or a string', firstNonText(node).at);
  }

  oneOf<T extends string>(key: string, values: readonly T[]): T | undefined {
    const node = this.get(key);
    if (node === undefined) return undefined;
    const found = node.kind === 'scalar' ? values.find((value) => value === node.text) : undefined;
    return found ?? this.#wrong(key, `should be one of: ${values.join(', ')}`, node.at);
  }

  /** Seconds. */
  duration(key: string): number | undefined {
    return this.#duration(key, parseDuration);
  }

  /** Seconds, Infinity for `never`. */
  durationOrNever(key: string): number | undefined {
    return this.#duration(key, parseDurationOrNever);
  }

  #duration(key: string, parse: (text: string) => number | undefined): number | undefined {
    const node = this.get(key);
    if (node === undefined) return undefined;
    const seconds = node.kind === 'scalar' ? parse(node.text) : undefined;
    return seconds ?? this.#wrong(key, 'should be a duration', node.at);
  }

  #wrong(key: string, text: string, at: Position): undefined {
    this.problem(key, text, at);
    return undefined;
  }
}

export function isText(node: YamlNode): node is ScalarNode & { readonly type: 'string' } {
  return node.kind === 'scalar' && node.type === 'string';
}

export function stringsOf(node: YamlNode): readonly string[] | undefined {
  if (node.kind !== 'list') return undefined;
  const result: string[] = [];
  for (const item of node.items) {
    if (!isText(item)) return undefined;
    result.push(item.text);
  }
  return result;
}

/** An integer scalar's value. */
export function integerOf(node: YamlNode): number | undefined {
  return node.kind === 'scalar' && node.type === 'integer' ? Number(node.text) : undefined;
}

/** The nodes of a list whose nested lists are spliced in; undefined if it is nested deeper than ten levels. */
export function flattenList(node: ListNode, depth = 1): readonly YamlNode[] | undefined {
  if (node.items.every((item) => item.kind !== 'list')) return node.items;
  if (depth > MAX_LIST_DEPTH) return undefined;
  const result: YamlNode[] = [];
  for (const item of node.items) {
    const inner = item.kind === 'list' ? flattenList(item, depth + 1) : [item];
    if (inner === undefined) return undefined;
    result.push(...inner);
  }
  return result;
}

function firstNonText(node: YamlNode): YamlNode {
  if (node.kind !== 'list') return node;
  return node.items.find((item) => !isText(item)) ?? node;
}

const MAX_LIST_DEPTH = 10;
