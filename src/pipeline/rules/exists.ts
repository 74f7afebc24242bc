import type { CompileContext } from '../context.ts';
import { globMatcher, isGlob, type PathMatcher } from '../glob.ts';
import type { VariableScope } from '../variables/scope.ts';
import type { ExistsClause } from './clauses.ts';

const MAX_CHECKS = 50_000;

/** Whether the working tree has a file that one of the paths or globs names (spec local-pipeline.md §8.2). */
export async function doExist(clause: ExistsClause, scope: VariableScope, context: CompileContext): Promise<boolean> {
  if (clause.paths.length === 0) return false;
  const files = await context.repository.list();
  const paths = clause.paths.map((path) => scope.expand(path, 'keep').replace(/^\.?\/+/, ''));
  const globs = paths.filter(isGlob);
  if (globs.length * files.length > MAX_CHECKS) return true;
  const matchers = paths.map(matcherOf);
  return files.some((file) => matchers.some((matches) => matches(file)));
}

function matcherOf(path: string): PathMatcher {
  if (path.endsWith('/') && !isGlob(path)) return (file) => file.startsWith(path);
  return globMatcher(path);
}
