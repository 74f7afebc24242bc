import * as z from 'zod';
import { innerSchema } from '../../config/document-problems.ts';
import { isList, isTable, type TomlTableValue, type TomlValue } from '../../config/edit/toml-text.ts';
import { fullRunnerSchema } from '../../config/sections/full-schema.ts';
import { TomlFloat } from '../../config/toml-document.ts';

/** A `[[runners]]` entry as it will be written, with the names of the schema. */
export type Entry = TomlTableValue;

export function valueAt(entry: Entry, path: readonly string[]): TomlValue | undefined {
  let value: TomlValue | undefined = entry;
  for (const key of path) value = value !== undefined && isTable(value) ? value[key] : undefined;
  return value;
}

/** The text at a path; empty when there is none. */
export function textAt(entry: Entry, ...path: readonly string[]): string {
  const value = valueAt(entry, path);
  return typeof value === 'string' ? value : '';
}

export function withValueAt(entry: Entry, [key, ...rest]: readonly string[], value: TomlValue): Entry {
  if (key === undefined) return entry;
  const below = entry[key];
  const inner =
    rest.length === 0 ? value : withValueAt(below !== undefined && isTable(below) ? below : {}, rest, value);
  return { ...entry, [key]: inner };
}

export function without(entry: Entry, keys: readonly string[]): Entry {
  return Object.fromEntries(Object.entries(entry).filter(([key]) => !keys.includes(key)));
}

/**
 * Fills an entry from a second one: a value is taken where there is none or an empty one (0, false, "", an empty list).
 * Tables are merged, lists are not.
 * @param isFixed keys that stay as they are though they are empty.
 */
export function filledFrom(
  entry: Entry,
  other: Entry,
  isFixed: (path: readonly string[]) => boolean,
  above: readonly string[] = [],
): Entry {
  const filled: Record<string, TomlValue> = { ...entry };
  for (const [key, value] of Object.entries(other)) {
    const path = [...above, key];
    const own = entry[key];
    if (own !== undefined && isTable(own) && isTable(value)) filled[key] = filledFrom(own, value, isFixed, path);
    else if (own === undefined || (isEmpty(own) && !isFixed(path))) filled[key] = value;
  }
  return filled;
}

function isEmpty(value: TomlValue): boolean {
  if (value instanceof TomlFloat) return value.value === 0;
  if (isList(value)) return value.length === 0;
  if (isTable(value)) return Object.keys(value).length === 0;
  return value === '' || value === 0 || value === false;
}

/** The entry with its keys in the order of the schema; keys that it does not know stay at the end. */
export function ordered(entry: Entry, schema: z.core.$ZodType = fullRunnerSchema): Entry {
  const inner = innerSchema(schema);
  if (!(inner instanceof z.ZodObject)) return entry;
  const shape: Readonly<Record<string, z.core.$ZodType>> = inner.shape;
  const names = [...new Set([...Object.keys(shape), ...Object.keys(entry)])];
  const members = names.flatMap((name): readonly (readonly [string, TomlValue])[] => {
    const value = entry[name];
    if (value === undefined) return [];
    return [[name, isTable(value) && shape[name] !== undefined ? ordered(value, shape[name]) : value]];
  });
  return Object.fromEntries(members);
}
