import type { MapEntry, Position } from '../yaml/nodes.ts';
import { type Entry, entryProblem, fieldsOf, isText, stringsOf } from '../yaml/reader.ts';

/** A variable as a `variables` map defines it. */
export interface YamlVariable {
  readonly key: string;
  readonly value: string;
  /** `expand: false` */
  readonly raw: boolean;
  readonly at: Position;
}

/** A root variable; its description and options are for people who are asked for its value. */
export interface RootVariable extends YamlVariable {
  readonly description: string | undefined;
  readonly options: readonly string[] | undefined;
}

const ROOT_KEYS: ReadonlySet<string> = new Set(['value', 'description', 'options', 'expand']);
const JOB_KEYS: ReadonlySet<string> = new Set(['value', 'expand']);

/** Reads the root `variables` (spec local-pipeline.md §3.1). */
export function readRootVariables(entry: Entry): readonly RootVariable[] {
  return readEach(entry, (item) => {
    const variable = readVariable(item, ROOT_KEYS);
    if (variable === undefined) return undefined;
    const fields = item.node.kind === 'map' ? fieldsOf(item, undefined) : undefined;
    const options = fields?.strings('options');
    if (options !== undefined && !options.includes(variable.value))
      fields?.problem('value', 'must be present in options');
    return { ...variable, description: fields?.string('description'), options };
  });
}

/** Reads a job's `variables`. */
export function readJobVariables(entry: Entry): readonly YamlVariable[] {
  return readEach(entry, (item) => readVariable(item, JOB_KEYS));
}

/** Reads variables that have only values: of rules and services. */
export function readScalarVariables(entry: Entry): readonly YamlVariable[] {
  return readEach(entry, (item) => readVariable(item, undefined));
}

function readEach<V>(entry: Entry, read: (item: NamedEntry) => V | undefined): readonly V[] {
  const fields = fieldsOf(entry, undefined, 'should be a hash of key value pairs');
  if (fields === undefined) return [];
  return [...fields.node.entries.values()].flatMap(
    (item) =>
      read({ node: item.value, location: `${entry.location}:${item.key}`, problems: entry.problems, source: item }) ??
      [],
  );
}

interface NamedEntry extends Entry {
  readonly source: MapEntry;
}

/** `keys` are those of the map form; undefined = only scalars. */
function readVariable(entry: NamedEntry, keys: ReadonlySet<string> | undefined): YamlVariable | undefined {
  const { node, source } = entry;
  const base = { key: source.key, at: source.keyAt };
  if (node.kind === 'scalar') return { ...base, value: node.text, raw: false };
  if (keys === undefined || node.kind !== 'map') {
    entryProblem(
      entry,
      keys === undefined ? 'should be a string or a number' : 'variable definition must be either a string or a hash',
    );
    return undefined;
  }
  const unknown = [...node.entries.keys()].filter((key) => !keys.has(key));
  if (unknown.length > 0) entryProblem(entry, `uses invalid data keys: ${unknown.join(', ')}`);
  const fields = fieldsOf(entry, undefined);
  const value = fields?.get('value');
  if (value !== undefined && value.kind !== 'scalar') fields?.problem('value', 'should be a string');
  return { ...base, value: value?.kind === 'scalar' ? value.text : '', raw: fields?.boolean('expand') === false };
}

/** `inherit:variables`: which root variables a job gets. */
export function readVariableInheritance(entry: Entry | undefined): (name: string) => boolean {
  if (entry === undefined) return () => true;
  const { node } = entry;
  if (node.kind === 'scalar' && node.type === 'boolean') return () => node.text === 'true';
  const names = isText(node) ? undefined : stringsOf(node);
  if (names !== undefined) return (name) => names.includes(name);
  entryProblem(entry, 'should be a boolean value or an array of strings');
  return () => true;
}
