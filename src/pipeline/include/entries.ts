import type { CompileContext } from '../context.ts';
import type { Problems } from '../problems.ts';
import { type RuleClauses, readClauses } from '../rules/clauses.ts';
import { firstMatch } from '../rules/evaluate.ts';
import type { VariableScope } from '../variables/scope.ts';
import { type MapEntry, type Position, valueOf, type YamlNode } from '../yaml/nodes.ts';
import { type Entry, entryProblem, type Fields, fieldsOf, flattenList, isText } from '../yaml/reader.ts';
import type { GivenInputs } from './input-values.ts';

export type IncludeKind = (typeof KINDS)[number];

/** One `include`. */
export interface IncludeConfig {
  readonly kind: IncludeKind;
  /** As written; variables are not expanded yet. A path or a glob where the kind is `local`. */
  readonly location: string;
  readonly inputs: GivenInputs;
  readonly rules: readonly IncludeRule[] | undefined;
  readonly at: Position;
}

export interface IncludeRule extends RuleClauses {
  readonly when: 'always' | 'never';
}

const KINDS = ['local', 'project', 'remote', 'template', 'artifact', 'component'] as const;
const KEYS_BESIDE: Readonly<Record<string, readonly string[]>> = {
  local: [],
  project: ['file', 'ref'],
  remote: ['integrity', 'cache'],
  template: [],
  artifact: ['job'],
  component: [],
};
const RULE_KEYS = new Set(['if', 'changes', 'exists', 'when']);

/** Reads the `include` keyword (spec local-pipeline.md §5.1). */
export function readIncludes(node: YamlNode, context: CompileContext): readonly IncludeConfig[] {
  const items = node.kind === 'list' ? (flattenList(node) ?? node.items) : [node];
  return items.flatMap(
    (item) => readInclude({ node: item, location: 'include', problems: context.problems }, context) ?? [],
  );
}

function readInclude(entry: Entry, context: CompileContext): IncludeConfig | undefined {
  if (isText(entry.node)) {
    const kind = /^https?:\/\//.test(entry.node.text) ? 'remote' : 'local';
    return { kind, location: entry.node.text, inputs: new Map(), rules: undefined, at: entry.node.at };
  }
  const fields = fieldsOf(entry, undefined, 'should be a string, a hash, or an array of these');
  return fields === undefined ? undefined : readIncludeMap(entry, fields, context);
}

function readIncludeMap(entry: Entry, fields: Fields, context: CompileContext): IncludeConfig | undefined {
  const kinds = KINDS.filter((kind) => fields.has(kind));
  const kind = kinds[0];
  if (kind === undefined) {
    entryProblem(
      entry,
      `does not have a valid subkey for include. Valid subkeys are: ${KINDS.map((name) => `\`${name}\``).join(', ')}`,
    );
    return undefined;
  }
  if (kinds.length > 1) {
    entryProblem(entry, `Each include must use only one of: ${KINDS.map((name) => `\`${name}\``).join(', ')}`);
    return undefined;
  }
  fieldsOf(entry, new Set([kind, 'inputs', 'rules', ...(KEYS_BESIDE[kind] ?? [])]));
  const location = fields.required(kind);
  const rules = readRules(fields, context);
  const inputs = readGivenInputs(fields);
  return location === undefined ? undefined : { kind, location, inputs, rules, at: fields.at(kind) };
}

function readGivenInputs(fields: Fields): GivenInputs {
  const entry = fields.entry('inputs');
  const inputs = entry === undefined ? undefined : fieldsOf(entry, undefined);
  return inputs?.node.entries ?? new Map<string, MapEntry>();
}

function readRules(fields: Fields, context: CompileContext): readonly IncludeRule[] | undefined {
  const node = valueOf(fields.node, 'rules');
  if (node === undefined) return undefined;
  const items = node.kind === 'list' ? flattenList(node) : undefined;
  if (items === undefined) {
    fields.problem('rules', 'should be an array of hashes');
    return undefined;
  }
  return items.flatMap((item) => {
    const rule = fieldsOf({ node: item, location: 'include:rules:rule', problems: context.problems }, RULE_KEYS);
    if (rule === undefined) return [];
    return [{ ...readClauses(rule, context), when: rule.oneOf('when', ['always', 'never'] as const) ?? 'always' }];
  });
}

/** Whether the rules of an include let it in: none of them matching leaves it out (§5.3). */
export async function isIncluded(
  include: IncludeConfig,
  scope: VariableScope,
  context: CompileContext,
): Promise<boolean> {
  if (include.rules === undefined) return true;
  const { rule } = await firstMatch(include.rules, scope, context);
  return rule?.when === 'always';
}

/** A local run has only the files of its work tree: any other include that its rules let in is a problem. */
export function refuseForeign(include: IncludeConfig, problems: Problems): void {
  problems.add(
    `include: \`${include.kind}\` includes are not supported locally`,
    include.at,
    'copy the file into the repository and include it with `local`',
  );
}
