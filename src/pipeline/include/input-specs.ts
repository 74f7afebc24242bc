import type { CompileContext } from '../context.ts';
import { type IfClause, readIf } from '../rules/clauses.ts';
import { type MapNode, type Position, valueOf, type YamlNode } from '../yaml/nodes.ts';
import { type Fields, fieldsOf } from '../yaml/reader.ts';

export type InputType = 'string' | 'number' | 'boolean' | 'array';

export interface InputRule {
  readonly if: IfClause | undefined;
  readonly options: readonly YamlNode[] | undefined;
  /** `hasDefault` because a default may be null. */
  readonly default: YamlNode | undefined;
  readonly hasDefault: boolean;
}

/** One input that a file declares in its `spec:inputs` header. */
export interface InputSpec {
  readonly name: string;
  readonly type: InputType;
  readonly default: YamlNode | undefined;
  readonly options: readonly YamlNode[] | undefined;
  readonly regex: string | undefined;
  readonly rules: readonly InputRule[] | undefined;
  readonly at: Position;
}

const TYPES = ['string', 'number', 'boolean', 'array'] as const;
const HEADER_KEYS = new Set(['spec']);
const SPEC_KEYS = new Set(['inputs', 'include', 'component', 'description']);
const INPUT_KEYS = new Set(['type', 'default', 'description', 'options', 'regex', 'rules']);
const RULE_KEYS = new Set(['if', 'options', 'default']);
const MAX_OPTIONS = 50;

/** The `spec` map of a header document; what is wrong with its keys becomes a problem. */
export function readHeader(header: MapNode, context: CompileContext): Fields | undefined {
  const fields = fieldsOf({ node: header, location: 'header', problems: context.problems }, HEADER_KEYS);
  const spec = fields?.entry('spec');
  return spec === undefined ? undefined : fieldsOf({ ...spec, location: 'header:spec' }, SPEC_KEYS);
}

/** Reads an `inputs` map of a header. */
export function readInputSpecs(inputs: YamlNode, context: CompileContext): readonly InputSpec[] {
  const location = 'header:spec:inputs';
  const fields = fieldsOf({ node: inputs, location, problems: context.problems }, undefined);
  if (fields === undefined) return [];
  return [...fields.node.entries.values()].map((entry) => {
    const value = valueOf(fields.node, entry.key);
    if (value === undefined) return plainInput(entry.key, entry.keyAt);
    const input = fieldsOf(
      { node: value, location: `${location}:${entry.key}`, problems: context.problems },
      INPUT_KEYS,
    );
    return input === undefined ? plainInput(entry.key, entry.keyAt) : readInput(entry.key, entry.keyAt, input, context);
  });
}

function plainInput(name: string, at: Position): InputSpec {
  return { name, type: 'string', default: undefined, options: undefined, regex: undefined, rules: undefined, at };
}

function readInput(name: string, at: Position, fields: Fields, context: CompileContext): InputSpec {
  const type = fields.oneOf('type', TYPES) ?? 'string';
  const rules = readRules(fields, context);
  const options = readOptions(fields);
  if (options !== undefined && (type === 'boolean' || type === 'array')) {
    fields.problem('options', 'can only be used with string and number inputs', fields.at('options'));
  }
  if (fields.has('regex') && type !== 'string') {
    fields.problem('regex', 'validation can only be used with string inputs', fields.at('regex'));
  }
  if (rules !== undefined && (options !== undefined || fields.node.entries.has('default'))) {
    fields.problem('rules', 'cannot be used together with options or default', fields.at('rules'));
  }
  return {
    name,
    type,
    default: fields.node.entries.get('default')?.value,
    options,
    regex: readRegex(fields, context),
    rules,
    at,
  };
}

function readRegex(fields: Fields, context: CompileContext): string | undefined {
  const regex = fields.string('regex');
  if (regex === undefined || context.regexes.compile(regex, '') !== undefined) return regex;
  fields.problem('regex', 'invalid regular expression');
  return undefined;
}

function readOptions(fields: Fields): readonly YamlNode[] | undefined {
  const node = fields.get('options');
  if (node === undefined) return undefined;
  if (node.kind !== 'list') {
    fields.problem('options', 'should be an array');
    return undefined;
  }
  if (node.items.length > MAX_OPTIONS) fields.problem('options', `has too many entries (maximum ${MAX_OPTIONS})`);
  return node.items;
}

function readRules(fields: Fields, context: CompileContext): readonly InputRule[] | undefined {
  const node = fields.get('rules');
  if (node === undefined) return undefined;
  if (node.kind !== 'list') {
    fields.problem('rules', 'should be an array of hashes');
    return undefined;
  }
  return node.items.flatMap((item) => {
    const rule = fieldsOf(
      { node: item, location: `${fields.location}:rules:rule`, problems: fields.problems },
      RULE_KEYS,
    );
    if (rule === undefined) return [];
    const entry = rule.node.entries.get('default');
    return [
      {
        if: readIf(rule, 'if', context, true),
        options: readOptions(rule),
        default: entry?.value,
        hasDefault: entry !== undefined,
      },
    ];
  });
}
