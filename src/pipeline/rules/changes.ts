import type { CompileContext } from '../context.ts';
import { globMatcher } from '../glob.ts';
import type { VariableScope } from '../variables/scope.ts';
import type { ChangesClause } from './clauses.ts';

/** More checks than this and GitLab says yes without looking. */
const MAX_CHECKS = 50_000;

/**
 * Whether a file that matches changed since the base (spec local-pipeline.md §8.1). Without a base to compare with it
 * is true; a `compare_to` that names no commit is a problem.
 */
export async function doChange(clause: ChangesClause, scope: VariableScope, context: CompileContext): Promise<boolean> {
  if (!context.evaluateChanges) return true;
  const compareTo = clause.compareTo === undefined ? undefined : scope.expand(clause.compareTo, 'keep');
  const changed = await context.repository.changedFrom(compareTo);
  if (changed.kind === 'unknown_base') return true;
  if (changed.kind === 'unknown_ref') {
    context.problems.add(`rules:changes:compare_to is not a valid ref`, clause.at, `no commit is called ${compareTo}`);
    return false;
  }
  if (clause.paths.length * changed.paths.length > MAX_CHECKS) return true;
  const matchers = clause.paths.map((path) => globMatcher(scope.expand(path, 'keep')));
  return changed.paths.some((path) => matchers.some((matches) => matches(path)));
}
