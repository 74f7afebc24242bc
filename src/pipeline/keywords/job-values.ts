import type { CompileContext } from '../context.ts';
import { parseDuration } from '../durations.ts';
import { parseRegexLiteral } from '../regex.ts';
import { type Entry, entryProblem, type Fields, fieldsOf, stringsOf } from '../yaml/reader.ts';
import { readExitCodes } from './retry.ts';
import { readScript } from './script.ts';

export interface AllowFailure {
  readonly always: boolean;
  readonly exitCodes: readonly number[];
}

/** A script that runs at a certain point of a job. */
export interface Hook {
  readonly name: string;
  readonly script: readonly string[];
}

const ALLOW_FAILURE_KEYS = new Set(['exit_codes']);
const HOOK_KEYS = new Set(['pre_get_sources_script']);
const MAX_TIMEOUT_SECONDS = 31 * 24 * 3600;
const MAX_TAGS = 50;

/** `allow_failure`: a flag, or the exit codes that are allowed. */
export function readAllowFailure(fields: Fields): AllowFailure | undefined {
  const entry = fields.entry('allow_failure');
  if (entry === undefined) return undefined;
  if (entry.node.kind === 'scalar' && entry.node.type === 'boolean') {
    return { always: entry.node.text === 'true', exitCodes: [] };
  }
  const inner = fieldsOf(entry, ALLOW_FAILURE_KEYS, 'should be a hash or a boolean value');
  if (inner === undefined) return undefined;
  if (!inner.has('exit_codes')) entryProblem(entry, 'missing required keys: exit_codes');
  return { always: false, exitCodes: readExitCodes(inner) };
}

/** `timeout` in seconds. */
export function readTimeout(entry: Entry): number | undefined {
  const seconds = entry.node.kind === 'scalar' ? parseDuration(entry.node.text) : undefined;
  if (seconds === undefined || seconds <= 0) {
    entryProblem(entry, 'should be a duration');
    return undefined;
  }
  if (seconds > MAX_TIMEOUT_SECONDS) entryProblem(entry, 'should not exceed the limit');
  return seconds;
}

/** A value that is `true` or `false`. */
export function readFlag(entry: Entry): boolean {
  if (entry.node.kind === 'scalar' && entry.node.type === 'boolean') return entry.node.text === 'true';
  entryProblem(entry, 'should be a boolean value');
  return false;
}

/** `tags` */
export function readTags(entry: Entry): readonly string[] {
  const tags = stringsOf(entry.node);
  if (tags === undefined) entryProblem(entry, 'should be an array of strings');
  else if (tags.length >= MAX_TAGS) entryProblem(entry, `must be less than the limit of ${MAX_TAGS} tags`);
  return tags ?? [];
}

/** `coverage` as a regular expression with its flags in it. */
export function readCoverage(fields: Fields, context: CompileContext): string | undefined {
  const text = fields.string('coverage');
  if (text === undefined) return undefined;
  const literal = parseRegexLiteral(text);
  const flags = literal === undefined || literal.flags === '' ? '' : `(?${literal.flags})`;
  if (literal !== undefined && context.regexes.compile(literal.source, literal.flags) !== undefined)
    return `${flags}${literal.source}`;
  fields.problem('coverage', 'must be a regular expression with re2 syntax');
  return undefined;
}

/** `hooks` that a runner knows. */
export function readHooks(entry: Entry): readonly Hook[] {
  const fields = fieldsOf(entry, HOOK_KEYS);
  const hook = fields?.entry('pre_get_sources_script');
  const script = hook === undefined ? undefined : readScript(hook);
  return script === undefined ? [] : [{ name: 'pre_get_sources_script', script }];
}
