import type { CompileContext } from '../context.ts';
import { parseRegexLiteral } from '../regex.ts';
import { type ChangesClause, type IfClause, readIf } from '../rules/clauses.ts';
import { map, type Position, textNode } from '../yaml/nodes.ts';
import { type Entry, entryProblem, Fields, fieldsOf, isText, stringsOf } from '../yaml/reader.ts';

/** `only` or `except` (spec local-pipeline.md §12). */
export interface PolicyConfig {
  readonly refs: readonly string[] | undefined;
  readonly variables: readonly IfClause[] | undefined;
  readonly changes: ChangesClause | undefined;
  readonly kubernetes: boolean;
  readonly at: Position;
}

const KEYS = new Set(['refs', 'variables', 'changes', 'kubernetes']);

/** What jobs have that say nothing about when they run. */
export function defaultOnly(at: Position): PolicyConfig {
  return { refs: ['branches', 'tags'], variables: undefined, changes: undefined, kubernetes: false, at };
}

/** Reads `only`; a map keeps the default `refs` unless it has its own. */
export function readOnly(entry: Entry, context: CompileContext): PolicyConfig {
  return readPolicy(entry, context, defaultOnly(entry.node.at));
}

/** Reads `except`. */
export function readExcept(entry: Entry, context: CompileContext): PolicyConfig {
  return readPolicy(entry, context, { ...defaultOnly(entry.node.at), refs: undefined });
}

function readPolicy(entry: Entry, context: CompileContext, base: PolicyConfig): PolicyConfig {
  if (entry.node.kind === 'list' || isText(entry.node)) {
    return { ...base, refs: readRefs(entry, context) };
  }
  const fields = fieldsOf(entry, KEYS, 'has to be either an array of conditions or a hash');
  if (fields === undefined) return base;
  const refs = fields.entry('refs');
  const changes = fields.strings('changes');
  fields.oneOf('kubernetes', ['active']);
  return {
    refs: refs === undefined ? base.refs : readRefs(refs, context),
    variables: fields.has('variables') ? readConditions(fields, context) : undefined,
    changes: changes === undefined ? undefined : { paths: changes, compareTo: undefined, at: fields.at('changes') },
    kubernetes: fields.has('kubernetes'),
    at: entry.node.at,
  };
}

function readRefs(entry: Entry, context: CompileContext): readonly string[] {
  const refs = isText(entry.node) ? [entry.node.text] : stringsOf(entry.node);
  if (refs === undefined) {
    entryProblem(entry, 'should be an array of strings or regular expressions using re2 syntax');
    return [];
  }
  for (const ref of refs) {
    const literal = parseRegexLiteral(ref.replace(/@[^/]*$/, ''));
    if (literal !== undefined && context.regexes.compile(literal.source, literal.flags) === undefined) {
      entryProblem(entry, 'should be an array of strings or regular expressions using re2 syntax', entry.node.at, ref);
    }
  }
  return refs;
}

function readConditions(fields: Fields, context: CompileContext): readonly IfClause[] {
  const node = fields.get('variables');
  const texts = fields.stringOrStrings('variables') ?? [];
  const nodes = node?.kind === 'list' ? node.items : [node];
  return texts.flatMap((text, index) => {
    const at = nodes[index]?.at ?? fields.at('variables');
    // each condition is read as the `variables` field of a map of its own, so that problems point at it
    const single = new Fields(
      map([{ key: 'variables', keyAt: at, value: textNode(text, at) }], at),
      fields.location,
      fields.problems,
    );
    return readIf(single, 'variables', context) ?? [];
  });
}
