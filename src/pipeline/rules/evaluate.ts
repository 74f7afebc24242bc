import type { CompileContext } from '../context.ts';
import { evaluateExpression } from '../expressions/evaluate.ts';
import { type Expression, walkExpression } from '../expressions/parser.ts';
import type { VariableScope } from '../variables/scope.ts';
import { doChange } from './changes.ts';
import type { IfClause, RuleClauses } from './clauses.ts';
import { doExist } from './exists.ts';

/** What one clause of a rule came to; for people who ask why a job is there or not. */
export interface ClauseResult {
  readonly kind: 'if' | 'changes' | 'exists';
  readonly text: string;
  readonly holds: boolean;
  /** Raw values of the variables in an `if`; null = not defined, masked ones are hidden. */
  readonly variables: Readonly<Record<string, string | null>>;
}

export interface RuleResult {
  /** Position in the list, from 0. */
  readonly index: number;
  readonly file: string;
  readonly line: number;
  readonly clauses: readonly ClauseResult[];
  readonly matched: boolean;
}

export interface RulesOutcome<R> {
  /** The first rule that matched. */
  readonly rule: R | undefined;
  /** The rules that were looked at. */
  readonly results: readonly RuleResult[];
}

/** The first rule of which all clauses hold (spec local-pipeline.md §8). */
export async function firstMatch<R extends RuleClauses>(
  rules: readonly R[],
  scope: VariableScope,
  context: CompileContext,
): Promise<RulesOutcome<R>> {
  const results: RuleResult[] = [];
  for (const [index, rule] of rules.entries()) {
    const clauses = await evaluateClauses(rule, scope, context);
    const matched = clauses.every((clause) => clause.holds);
    results.push({ index, file: rule.at.file, line: rule.at.line, clauses, matched });
    if (matched) return { rule, results };
  }
  return { rule: undefined, results };
}

/** Stops at the first clause that does not hold. */
async function evaluateClauses(
  rule: RuleClauses,
  scope: VariableScope,
  context: CompileContext,
): Promise<readonly ClauseResult[]> {
  const results: ClauseResult[] = [];
  if (rule.if !== undefined) results.push(evaluateIf(rule.if, scope, context));
  if (results.some((result) => !result.holds)) return results;
  if (rule.changes !== undefined) {
    const holds = await doChange(rule.changes, scope, context);
    results.push({ kind: 'changes', text: rule.changes.paths.join(', '), holds, variables: {} });
    if (!holds) return results;
  }
  if (rule.exists !== undefined) {
    const holds = await doExist(rule.exists, scope, context);
    results.push({ kind: 'exists', text: rule.exists.paths.join(', '), holds, variables: {} });
  }
  return results;
}

function evaluateIf(clause: IfClause, scope: VariableScope, context: CompileContext): ClauseResult {
  return {
    kind: 'if',
    text: clause.text,
    holds: holdsIn(clause.expression, scope, context),
    variables: Object.fromEntries(variablesOf(clause.expression).map((name) => [name, shown(name, scope)])),
  };
}

/** Whether an expression holds with the raw values of a scope. */
export function holdsIn(expression: Expression, scope: VariableScope, context: CompileContext): boolean {
  return evaluateExpression(expression, { variable: (name) => scope.rawValue(name), regexes: context.regexes });
}

function variablesOf(expression: Expression): readonly string[] {
  const names = new Set<string>();
  for (const node of walkExpression(expression)) if (node.kind === 'variable') names.add(node.name);
  return [...names];
}

function shown(name: string, scope: VariableScope): string | null {
  const variable = scope.find(name);
  if (variable === undefined) return null;
  return variable.masked ? '[MASKED]' : variable.value;
}
