import { type Entry, entryProblem, type Fields, fieldsOf, integerOf } from '../yaml/reader.ts';

export interface RetryConfig {
  readonly max: number;
  /** Failure reasons, or `always`. */
  readonly when: readonly string[];
  readonly exitCodes: readonly number[];
}

const KEYS = new Set(['max', 'when', 'exit_codes']);
const MAX_RETRIES = 2;
/** Any failure reason is accepted; these are the ones GitLab's own list has, for the message. */
const KNOWN_REASON = /^[a-z][a-z_]*$/;

/** Reads `retry`: 0 to 2, or a map (spec local-pipeline.md §10.4). */
export function readRetry(entry: Entry): RetryConfig | undefined {
  const count = integerOf(entry.node);
  if (count !== undefined) {
    checkMax(count, (text) => entryProblem(entry, text));
    return { max: count, when: ['always'], exitCodes: [] };
  }
  const fields = fieldsOf(entry, KEYS, 'should be an integer or a hash');
  if (fields === undefined) return undefined;
  const when = readWhen(fields);
  const exitCodes = readExitCodes(fields);
  return { max: readMax(fields), when: when ?? (exitCodes.length === 0 ? ['always'] : []), exitCodes };
}

/** Reads one exit code or a list of them. */
export function readExitCodes(fields: Fields): readonly number[] {
  const node = fields.get('exit_codes');
  if (node === undefined) return [];
  const codes = (node.kind === 'list' ? node.items : [node]).map(integerOf);
  const valid = codes.filter((code) => code !== undefined);
  if (valid.length !== codes.length) fields.problem('exit_codes', 'should be an array of integers or an integer');
  return valid;
}

function readMax(fields: Fields): number {
  const node = fields.get('max');
  if (node === undefined) return 0;
  const max = integerOf(node);
  if (max === undefined) fields.problem('max', 'is not a number');
  else checkMax(max, (text) => fields.problem('max', text));
  return max ?? 0;
}

function checkMax(max: number, report: (text: string) => void): void {
  if (max > MAX_RETRIES) report(`must be less than or equal to ${MAX_RETRIES}`);
  if (max < 0) report('must be greater than or equal to 0');
}

function readWhen(fields: Fields): readonly string[] | undefined {
  const when = fields.stringOrStrings('when');
  const unknown = when?.find((reason) => !KNOWN_REASON.test(reason));
  if (unknown !== undefined) fields.problem('when', `unknown value: ${unknown}`);
  return when;
}
