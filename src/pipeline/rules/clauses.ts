import type { CompileContext } from '../context.ts';
import { ExpressionSyntaxError } from '../expressions/lexer.ts';
import { type Expression, walkExpression } from '../expressions/parser.ts';
import type { Position } from '../yaml/nodes.ts';
import { type Entry, type Fields, fieldsOf, isText, stringsOf } from '../yaml/reader.ts';

export interface IfClause {
  readonly text: string;
  readonly expression: Expression;
  readonly at: Position;
}

export interface ChangesClause {
  readonly paths: readonly string[];
  readonly compareTo: string | undefined;
  readonly at: Position;
}

export interface ExistsClause {
  readonly paths: readonly string[];
  readonly at: Position;
}

/** The conditions of one rule; all that are there must hold. */
export interface RuleClauses {
  readonly at: Position;
  readonly if: IfClause | undefined;
  readonly changes: ChangesClause | undefined;
  readonly exists: ExistsClause | undefined;
}

const MAX_PATHS = 50;
const CHANGES_KEYS = new Set(['paths', 'compare_to']);
const EXISTS_KEYS = new Set(['paths', 'project', 'ref']);

/** Reads `if`, `changes` and `exists` of a rule. `fields.location` is that of the rule. */
export function readClauses(fields: Fields, context: CompileContext): RuleClauses {
  return {
    at: fields.node.at,
    if: readIf(fields, 'if', context),
    changes: readChanges(fields),
    exists: readExists(fields),
  };
}

/** Reads one rule expression; what is wrong with it becomes a problem. Only rules of inputs may use `$[[ inputs.x ]]`. */
export function readIf(
  fields: Fields,
  key: string,
  context: CompileContext,
  mayUseInputs = false,
): IfClause | undefined {
  const text = fields.string(key);
  if (text === undefined) return undefined;
  const expression = parseAt(fields, key, text, context, mayUseInputs);
  const at = fields.get(key)?.at ?? fields.at(key);
  return expression === undefined ? undefined : { text, expression, at };
}

function parseAt(
  fields: Fields,
  key: string,
  text: string,
  context: CompileContext,
  mayUseInputs: boolean,
): Expression | undefined {
  try {
    const expression = context.expressions.parse(text);
    if (hasInput(expression) && !mayUseInputs) {
      fields.problem(
        key,
        'invalid expression syntax',
        undefined,
        'inputs are only filled in below a `spec:inputs` header',
      );
      return undefined;
    }
    if (hasBadRegex(expression, context)) {
      fields.problem(key, 'invalid expression syntax', undefined, 'RE2 does not accept the regular expression');
      return undefined;
    }
    return expression;
  } catch (error) {
    if (!(error instanceof ExpressionSyntaxError)) throw error;
    fields.problem(key, 'invalid expression syntax', undefined, `${error.message}, at character ${error.offset + 1}`);
    return undefined;
  }
}

function hasInput(expression: Expression): boolean {
  return walkExpression(expression).some((node) => node.kind === 'input');
}

function hasBadRegex(expression: Expression, context: CompileContext): boolean {
  for (const node of walkExpression(expression)) {
    if (node.kind === 'regex' && context.regexes.compile(node.literal.source, node.literal.flags) === undefined)
      return true;
  }
  return false;
}

function readChanges(fields: Fields): ChangesClause | undefined {
  const entry = fields.entry('changes');
  if (entry === undefined) return undefined;
  if (entry.node.kind !== 'map') return withPaths(entry, undefined, false);
  const inner = fieldsOf(entry, CHANGES_KEYS);
  const paths = inner?.entry('paths');
  if (inner === undefined || paths === undefined) return missingPaths(inner);
  return withPaths(paths, inner.string('compare_to'), false);
}

function readExists(fields: Fields): ExistsClause | undefined {
  const entry = fields.entry('exists');
  if (entry === undefined) return undefined;
  if (entry.node.kind !== 'map') return withPaths(entry, undefined, true);
  const inner = fieldsOf(entry, EXISTS_KEYS);
  const paths = inner?.entry('paths');
  if (inner === undefined || paths === undefined) return missingPaths(inner);
  if (inner.has('project') || inner.has('ref')) {
    inner.problem(
      'project',
      'cannot be looked into locally',
      inner.at('project'),
      'only files of this project are known',
    );
  }
  return withPaths(paths, undefined, true);
}

function withPaths(entry: Entry, compareTo: string | undefined, oneIsFine: boolean): ChangesClause | undefined {
  const paths = oneIsFine && isText(entry.node) ? [entry.node.text] : stringsOf(entry.node);
  if (paths === undefined) {
    const text = oneIsFine ? 'should be an array of strings or a string' : 'should be an array of strings';
    entry.problems.add(`${entry.location} config ${text}`, entry.node.at);
    return undefined;
  }
  if (paths.length > MAX_PATHS) {
    entry.problems.add(`${entry.location} config has too many entries (maximum ${MAX_PATHS})`, entry.node.at);
  }
  return { paths, compareTo, at: entry.node.at };
}

function missingPaths(fields: Fields | undefined): undefined {
  if (fields !== undefined)
    fields.problems.add(`${fields.location} config missing required keys: paths`, fields.node.at);
  return undefined;
}
