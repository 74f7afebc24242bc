import type { CompileContext } from '../context.ts';
import { type RuleClauses, readClauses } from '../rules/clauses.ts';
import type { Position } from '../yaml/nodes.ts';
import { type Entry, entryProblem, type Fields, fieldsOf, flattenList } from '../yaml/reader.ts';
import { readScalarVariables, type YamlVariable } from './variables.ts';

export interface AutoCancel {
  readonly onNewCommit: 'conservative' | 'interruptible' | 'none' | undefined;
  readonly onJobFailure: 'none' | 'all' | undefined;
}

export interface WorkflowRule extends RuleClauses {
  readonly when: 'always' | 'never';
  readonly variables: readonly YamlVariable[];
  readonly autoCancel: AutoCancel | undefined;
}

/** `workflow` (spec local-pipeline.md §2.3). */
export interface WorkflowConfig {
  readonly name: string | undefined;
  readonly rules: readonly WorkflowRule[] | undefined;
  readonly autoCancel: AutoCancel | undefined;
  readonly at: Position;
}

const KEYS = new Set(['name', 'rules', 'auto_cancel']);
const RULE_KEYS = new Set([
  'if',
  'changes',
  'exists',
  'when',
  'variables',
  'auto_cancel',
  'start_in',
  'allow_failure',
  'needs',
]);
const AUTO_CANCEL_KEYS = new Set(['on_new_commit', 'on_job_failure']);
const MAX_NAME_LENGTH = 255;

/** Reads `workflow`. */
export function readWorkflow(entry: Entry, context: CompileContext): WorkflowConfig | undefined {
  const fields = fieldsOf(entry, KEYS);
  if (fields === undefined) return undefined;
  const name = fields.string('name');
  if (name !== undefined && name.length > MAX_NAME_LENGTH) {
    fields.problem('name', `is too long (maximum is ${MAX_NAME_LENGTH} characters)`);
  }
  const rules = fields.entry('rules');
  return {
    name,
    rules: rules === undefined ? undefined : readRules(rules, context),
    autoCancel: readAutoCancel(fields),
    at: entry.node.at,
  };
}

function readRules(entry: Entry, context: CompileContext): readonly WorkflowRule[] {
  const items = entry.node.kind === 'list' ? flattenList(entry.node) : undefined;
  if (items === undefined) {
    entryProblem(entry, 'should be an array of hashes');
    return [];
  }
  return items.flatMap((node) => {
    const fields = fieldsOf({ ...entry, node, location: `${entry.location}:rule` }, RULE_KEYS);
    if (fields === undefined) return [];
    const variables = fields.entry('variables');
    return [
      {
        ...readClauses(fields, context),
        when: fields.oneOf('when', ['always', 'never'] as const) ?? 'always',
        variables: variables === undefined ? [] : readScalarVariables(variables),
        autoCancel: readAutoCancel(fields),
      },
    ];
  });
}

function readAutoCancel(parent: Fields): AutoCancel | undefined {
  const entry = parent.entry('auto_cancel');
  const fields = entry === undefined ? undefined : fieldsOf(entry, AUTO_CANCEL_KEYS);
  if (fields === undefined) return undefined;
  return {
    onNewCommit: fields.oneOf('on_new_commit', ['conservative', 'interruptible', 'none'] as const),
    onJobFailure: fields.oneOf('on_job_failure', ['none', 'all'] as const),
  };
}
