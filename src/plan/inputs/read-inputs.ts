import type { JobPayload } from '../../gitlab/job-payload.ts';
import { ExpressionError, SensitiveValue, type Value, type ValueTable } from './expression.ts';

const jsonTypeOf: Readonly<Record<string, string>> = {
  string: 'string',
  number: 'number',
  boolean: 'boolean',
  array: 'array',
  struct: 'struct',
};

/**
 * The job's inputs as values, checked against their announced types (spec job-execution.md §22).
 * @throws ExpressionError
 */
export function readInputs(inputs: JobPayload['inputs']): ValueTable {
  return Object.fromEntries(inputs.map((input) => [checkedKey(input.key), readInput(input)]));
}

function checkedKey(key: string): string {
  if (key === '') throw new ExpressionError('input without key');
  return key;
}

function readInput({ key, value: { type, content, sensitive } }: JobPayload['inputs'][number]): Value {
  const expected = jsonTypeOf[type];
  if (expected === undefined) throw new ExpressionError(`invalid type "${type}" for input "${key}": type is unknown`);
  if (content === null || content === undefined) {
    throw new ExpressionError(`input "${key}" is null, must have valid value`);
  }
  const actual = kindOf(content);
  if (actual !== expected) {
    throw new ExpressionError(`mismatching type of input "${key}". Announced "${type}", but got "${actual}"`);
  }
  return sensitive ? new SensitiveValue() : (content as Value);
}

/** Decoded JSON has no other kinds. */
function kindOf(content: unknown): string {
  if (Array.isArray(content)) return 'array';
  return typeof content === 'object' ? 'struct' : typeof content;
}
