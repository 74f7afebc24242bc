import type { CompileContext } from '../context.ts';
import { type RuleClauses, readClauses } from '../rules/clauses.ts';
import { type Entry, entryProblem, type Fields, fieldsOf, flattenList } from '../yaml/reader.ts';
import { type NeedConfig, readNeeds } from './needs.ts';
import { readScalarVariables, type YamlVariable } from './variables.ts';

export const RULE_WHEN = ['on_success', 'on_failure', 'always', 'never', 'manual', 'delayed'] as const;
export type RuleWhen = (typeof RULE_WHEN)[number];

/** One entry of a job's `rules` (spec local-pipeline.md §8). */
export interface JobRule extends RuleClauses {
  readonly when: RuleWhen | undefined;
  readonly startInSeconds: number | undefined;
  readonly allowFailure: boolean | undefined;
  readonly variables: readonly YamlVariable[];
  readonly needs: readonly NeedConfig[] | undefined;
  readonly interruptible: boolean | undefined;
}

const KEYS = new Set([
  'if',
  'changes',
  'exists',
  'when',
  'start_in',
  'allow_failure',
  'variables',
  'needs',
  'interruptible',
]);
export const MAX_START_IN_SECONDS = 7 * 24 * 3600;

/** Reads `rules` of a job. */
export function readJobRules(entry: Entry, context: CompileContext): readonly JobRule[] {
  const items = entry.node.kind === 'list' ? flattenList(entry.node) : undefined;
  if (items === undefined) {
    entryProblem(entry, 'should be an array of hashes');
    return [];
  }
  if (items.length === 0) entryProblem(entry, "can't be blank");
  return items.flatMap((node) => readRule({ ...entry, node, location: `${entry.location}:rule` }, context) ?? []);
}

function readRule(entry: Entry, context: CompileContext): JobRule | undefined {
  const fields = fieldsOf(entry, KEYS);
  if (fields === undefined) return undefined;
  const when = fields.oneOf('when', RULE_WHEN);
  const variables = fields.entry('variables');
  const needs = fields.entry('needs');
  return {
    ...readClauses(fields, context),
    when,
    startInSeconds: readStartIn(fields, when),
    allowFailure: fields.boolean('allow_failure'),
    variables: variables === undefined ? [] : readScalarVariables(variables),
    needs: needs === undefined ? undefined : readNeeds(needs),
    interruptible: fields.boolean('interruptible'),
  };
}

/** `start_in` goes with `when: delayed`, and only with it. */
export function readStartIn(fields: Fields, when: string | undefined): number | undefined {
  if (when !== 'delayed') {
    if (fields.has('start_in')) fields.problem('start_in', 'must be blank');
    return undefined;
  }
  if (!fields.has('start_in')) {
    fields.problem('start_in', 'should be a duration', fields.at('when'));
    return undefined;
  }
  const seconds = fields.duration('start_in');
  if (seconds !== undefined && seconds > MAX_START_IN_SECONDS)
    fields.problem('start_in', 'should not exceed the limit');
  return seconds;
}
