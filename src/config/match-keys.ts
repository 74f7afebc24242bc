import * as z from 'zod';
import { innerSchema, isTableInList } from './document-problems.ts';
import type { TomlNode, TomlTable } from './toml-document.ts';

/**
 * Renames the keys of a document to those of its schema: the exact name first, then whatever letter case
 * (spec config.md §2). Keys that the schema does not know stay as they are.
 */
export function matchKeys(node: TomlNode, schema: z.core.$ZodType): TomlNode {
  const inner = innerSchema(schema);
  const [only] = node.kind === 'array' ? node.items : [];
  if (only !== undefined && isTableInList(node, inner)) return only;
  if (node.kind === 'table' && inner instanceof z.ZodObject) return matchTable(node, inner.shape);
  if (node.kind === 'array' && inner instanceof z.ZodArray) {
    return { ...node, items: node.items.map((item) => matchKeys(item, inner.element)) };
  }
  return node;
}

function matchTable(table: TomlTable, shape: Readonly<Record<string, z.core.$ZodType>>): TomlTable {
  const byLowerCase = new Map(Object.keys(shape).map((key) => [key.toLowerCase(), key]));
  const entries = new Map<string, TomlNode>();
  for (const [key, value] of table.entries) {
    const known = key in shape ? key : byLowerCase.get(key.toLowerCase());
    if (known === undefined) entries.set(key, value);
    else if (known === key || !table.entries.has(known))
      entries.set(known, matchKeys(value, shape[known] ?? z.unknown()));
  }
  return { ...table, entries };
}
