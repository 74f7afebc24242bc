import type { TomlNode, TomlPosition } from '../toml-document.ts';

export interface Finding {
  readonly at: TomlPosition;
  readonly message: string;
}

/** A value of the document with its place; wrong types are reported by the schema and are nothing here. */
export function memberOf(node: TomlNode | undefined, ...path: readonly string[]): TomlNode | undefined {
  let place = node;
  for (const key of path) place = place?.kind === 'table' ? place.entries.get(key) : undefined;
  return place;
}

export function itemsOf(node: TomlNode | undefined): readonly TomlNode[] {
  return node?.kind === 'array' ? node.items : [];
}

export function textOf(node: TomlNode | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
}

export function numberOf(node: TomlNode | undefined): number | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'number' ? node.value : undefined;
}

/** A finding for a text that is there and is not as it has to be. */
export function checkText(
  node: TomlNode | undefined,
  key: string,
  isRight: (text: string) => boolean,
  complaint: string,
): readonly Finding[] {
  const text = textOf(node);
  if (node === undefined || text === undefined || isRight(text)) return [];
  return [{ at: node.at, message: `${key}: ${JSON.stringify(text)} ${complaint}` }];
}

export function checkNumber(
  node: TomlNode | undefined,
  key: string,
  isRight: (value: number) => boolean,
  complaint: string,
): readonly Finding[] {
  const value = numberOf(node);
  if (node === undefined || value === undefined || isRight(value)) return [];
  return [{ at: node.at, message: `${key}: ${value} ${complaint}` }];
}

/** Each text of an array, or the text itself. */
export function textNodes(node: TomlNode | undefined): readonly TomlNode[] {
  return node?.kind === 'array' ? node.items : node === undefined ? [] : [node];
}

export function oneOf(names: readonly string[]): (text: string) => boolean {
  return (text) => names.includes(text);
}

export function listed(names: readonly string[]): string {
  return `is none of ${names.filter((name) => name !== '').join(', ')}`;
}
