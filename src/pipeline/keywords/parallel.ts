import type { MapNode, YamlNode } from '../yaml/nodes.ts';
import { type Entry, entryProblem, fieldsOf, integerOf } from '../yaml/reader.ts';

/** Names and values of one instance of a matrix job, in order. */
export type MatrixRow = readonly (readonly [name: string, value: string])[];

export type ParallelConfig =
  | { readonly kind: 'count'; readonly total: number }
  | { readonly kind: 'matrix'; readonly rows: readonly MatrixRow[] };

const MAX_INSTANCES = 200;
const KEYS = new Set(['matrix']);

/** Reads `parallel`: a number or a matrix (spec local-pipeline.md §9.6). */
export function readParallel(entry: Entry): ParallelConfig | undefined {
  const count = integerOf(entry.node);
  if (count !== undefined) {
    if (count < 1) entryProblem(entry, 'must be greater than or equal to 1');
    if (count > MAX_INSTANCES) entryProblem(entry, `must be less than or equal to ${MAX_INSTANCES}`);
    return count < 1 || count > MAX_INSTANCES ? undefined : { kind: 'count', total: count };
  }
  const fields = fieldsOf(entry, KEYS, 'should be an integer or a hash');
  const matrix = fields?.entry('matrix');
  if (fields !== undefined && matrix === undefined) entryProblem(entry, 'missing required keys: matrix');
  return matrix === undefined ? undefined : { kind: 'matrix', rows: readMatrix(matrix) };
}

/** Reads a matrix to its rows: per map the product of its values, the first key outermost; maps one after the other. */
export function readMatrix(entry: Entry): readonly MatrixRow[] {
  if (entry.node.kind !== 'list') {
    entryProblem(entry, 'should be an array of hashes');
    return [];
  }
  const rows: MatrixRow[] = [];
  for (const item of entry.node.items) {
    if (item.kind !== 'map') {
      entryProblem(entry, 'should be an array of hashes', item.at);
      continue;
    }
    const product = productOf(entry, item);
    if (product === undefined || rows.length + product.length > MAX_INSTANCES) {
      entryProblem(entry, `generates too many jobs (maximum is ${MAX_INSTANCES})`);
      return rows;
    }
    rows.push(...product);
  }
  return rows;
}

/** Undefined if there are too many. */
function productOf(entry: Entry, node: MapNode): readonly MatrixRow[] | undefined {
  let rows: readonly MatrixRow[] = [[]];
  for (const { key, value } of node.entries.values()) {
    const values = valuesOf(entry, key, value);
    if (rows.length * values.length > MAX_INSTANCES) return undefined;
    rows = rows.flatMap((row) => values.map((item): MatrixRow => [...row, [key, item]]));
  }
  return node.entries.size === 0 ? [] : rows;
}

function valuesOf(entry: Entry, key: string, value: YamlNode): readonly string[] {
  const nodes = value.kind === 'list' ? value.items : [value];
  return nodes.flatMap((node) => {
    if (node.kind === 'scalar' && node.type !== 'null') return [node.text];
    entry.problems.add(
      `${entry.location}:${key} config should be a hash of key value pairs, value can be an array`,
      node.at,
    );
    return [];
  });
}
