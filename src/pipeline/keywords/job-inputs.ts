import type { JsonValue } from '../../lib/json.ts';
import { toPlain } from '../yaml/nodes.ts';
import { type Entry, entryProblem, fieldsOf } from '../yaml/reader.ts';

/** An input of a job, for functions that the runner evaluates (spec local-pipeline.md §6). */
export interface JobInput {
  readonly key: string;
  readonly type: 'string' | 'number' | 'boolean' | 'array';
  readonly content: JsonValue;
}

const KEYS = new Set(['type', 'default', 'description', 'options', 'regex']);
const TYPES = ['string', 'number', 'boolean', 'array'] as const;
const MAX_INPUTS = 50;

/** Reads `inputs` of a job; every one needs a default. */
export function readJobInputs(entry: Entry): readonly JobInput[] {
  const all = fieldsOf(entry, undefined);
  if (all === undefined) return [];
  if (all.node.entries.size > MAX_INPUTS) entryProblem(entry, `has too many entries (maximum ${MAX_INPUTS})`);
  return [...all.node.entries.values()].flatMap((item) => {
    const location = `${entry.location}:${item.key}`;
    const fields = fieldsOf({ node: item.value, location, problems: entry.problems }, KEYS);
    if (fields === undefined) return [];
    const type = fields.oneOf('type', TYPES) ?? 'string';
    const value = fields.get('default');
    if (value === undefined) {
      entryProblem({ node: item.value, location, problems: entry.problems }, 'must have a default value', item.keyAt);
      return [];
    }
    const content = toPlain(value);
    const isRight = type === 'array' ? Array.isArray(content) : typeof content === type;
    if (!isRight) fields.problem('default', `value is not ${type === 'array' ? 'an' : 'a'} ${type}`);
    return [{ key: item.key, type, content }];
  });
}
