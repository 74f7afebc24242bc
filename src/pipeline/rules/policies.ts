import type { CompileContext } from '../context.ts';
import type { PolicyConfig } from '../keywords/policies.ts';
import { parseRegexLiteral } from '../regex.ts';
import type { VariableScope } from '../variables/scope.ts';
import { doChange } from './changes.ts';
import { holdsIn } from './evaluate.ts';

/** What `only` and `except` compare with. */
export interface RefFacts {
  readonly kind: 'branch' | 'tag' | 'merge_request';
  readonly ref: string;
  readonly source: string;
  readonly projectPath: string;
}

/** The kind of condition that kept a job out, or undefined if it is in (spec local-pipeline.md §12). */
export async function policyRefusal(
  only: PolicyConfig | undefined,
  except: PolicyConfig | undefined,
  facts: RefFacts,
  scope: VariableScope,
  context: CompileContext,
): Promise<string | undefined> {
  if (only !== undefined) {
    for (const [name, holds] of await evaluate(only, facts, scope, context))
      if (!holds) return `only:${name} does not match`;
  }
  if (except !== undefined) {
    for (const [name, holds] of await evaluate(except, facts, scope, context))
      if (holds) return `except:${name} matches`;
  }
  return undefined;
}

async function evaluate(
  policy: PolicyConfig,
  facts: RefFacts,
  scope: VariableScope,
  context: CompileContext,
): Promise<readonly (readonly [name: string, holds: boolean])[]> {
  const results: (readonly [string, boolean])[] = [];
  if (policy.refs !== undefined) results.push(['refs', policy.refs.some((ref) => matchesRef(ref, facts, context))]);
  if (policy.variables !== undefined) {
    results.push(['variables', policy.variables.some((clause) => holdsIn(clause.expression, scope, context))]);
  }
  if (policy.changes !== undefined) results.push(['changes', await doChange(policy.changes, scope, context)]);
  // no cluster is ever attached to a local project
  if (policy.kubernetes) results.push(['kubernetes', false]);
  return results;
}

function matchesRef(entry: string, facts: RefFacts, context: CompileContext): boolean {
  const [pattern, path] = splitPath(entry);
  if (path !== undefined && path !== facts.projectPath) return false;
  if (pattern === 'tags' && facts.kind === 'tag') return true;
  if (pattern === 'branches' && facts.kind === 'branch') return true;
  const source = facts.source.replace(/_event$/, '');
  if (pattern === source || pattern === plural(source)) return true;
  if (facts.kind === 'merge_request') return false;
  const literal = parseRegexLiteral(pattern);
  if (literal === undefined) return pattern === facts.ref;
  return context.regexes.compile(literal.source, literal.flags)?.matches(facts.ref) ?? false;
}

/** `master@group/project` */
function splitPath(entry: string): readonly [string, string | undefined] {
  const at = entry.indexOf('@');
  return at < 0 ? [entry, undefined] : [entry.slice(0, at), entry.slice(at + 1)];
}

function plural(source: string): string {
  return /(s|sh|ch|x)$/.test(source) ? `${source}es` : `${source}s`;
}
