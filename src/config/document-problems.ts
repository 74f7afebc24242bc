import * as z from 'zod';
import { similarName } from '../lib/similar-name.ts';
import type { TomlNode, TomlPosition, TomlTable } from './toml-document.ts';

/** Something in config.toml that is not as its schema has it, but that a runner starts with. */
export interface DocumentProblem {
  readonly at: TomlPosition;
  /** With dots between, without indexes. */
  readonly key: string;
  readonly kind: 'unknown' | 'shadowed' | 'list_for_table';
  /** The key that was probably meant. */
  readonly suggestion?: string;
}

/** Every key that the schema does not know, in the order of the file. */
export function documentProblems(document: TomlNode, schema: z.core.$ZodType): readonly DocumentProblem[] {
  const problems: DocumentProblem[] = [];
  visit(document, schema, '', problems);
  return problems.toSorted((a, b) => a.at.line - b.at.line || a.at.column - b.at.column);
}

function visit(node: TomlNode, schema: z.core.$ZodType, path: string, problems: DocumentProblem[]): void {
  const inner = innerSchema(schema);
  if (node.kind === 'array' && inner instanceof z.ZodArray) {
    for (const item of node.items) visit(item, inner.element, path, problems);
  } else if (isTableInList(node, inner)) {
    problems.push({ at: node.at, key: path, kind: 'list_for_table' });
  } else if (node.kind === 'table' && inner instanceof z.ZodObject) {
    visitTable(node, inner.shape, path, problems);
  }
}

function visitTable(
  table: TomlTable,
  shape: Readonly<Record<string, z.core.$ZodType>>,
  path: string,
  problems: DocumentProblem[],
): void {
  for (const [key, value] of table.entries) {
    const full = path === '' ? key : `${path}.${key}`;
    const at = table.keyPositions?.get(key) ?? value.at;
    const known = knownKey(key, shape);
    if (known === undefined) {
      const suggestion = similarName(key, Object.keys(shape));
      problems.push({ at, key: full, kind: 'unknown', ...(suggestion === undefined ? {} : { suggestion }) });
    } else if (known !== key && table.entries.has(known)) {
      problems.push({ at, key: full, kind: 'shadowed', suggestion: known });
    } else {
      visit(value, shape[known] ?? z.unknown(), full, problems);
    }
  }
}

function knownKey(key: string, shape: Readonly<Record<string, z.core.$ZodType>>): string | undefined {
  if (Object.hasOwn(shape, key)) return key;
  return Object.keys(shape).find((name) => name.toLowerCase() === key.toLowerCase());
}

/** `[[runners.feature_flags]]` where a table of names and values is meant. */
export function isTableInList(node: TomlNode, inner: z.core.$ZodType): boolean {
  return (
    node.kind === 'array' && node.items.length === 1 && node.items[0]?.kind === 'table' && inner instanceof z.ZodRecord
  );
}

/** The schema under defaults, transformations and `optional()`. */
export function innerSchema(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) {
    return innerSchema(schema.def.innerType);
  }
  return schema instanceof z.ZodPipe ? innerSchema(schema.def.in) : schema;
}
