import type { Position, YamlNode } from '../yaml/nodes.ts';
import { type Entry, entryProblem, type Fields, fieldsOf, isText, stringsOf } from '../yaml/reader.ts';
import { type MatrixRow, readMatrix } from './parallel.ts';

/** One entry of a job's `needs`. */
export interface NeedConfig {
  /** A job as written, or one instance such as `test 1/3` or `test: [a, b]`. */
  readonly job: string;
  readonly artifacts: boolean;
  readonly optional: boolean;
  /** `parallel:matrix`: only the instances with exactly these values. */
  readonly matrix: readonly MatrixRow[] | undefined;
  /** A need of another project or pipeline, which a local run cannot have. */
  readonly foreign: ForeignNeed | undefined;
  readonly at: Position;
}

export type ForeignNeed = (typeof FOREIGN_KEYS)[number];

const JOB_KEYS = new Set(['job', 'artifacts', 'optional', 'parallel']);
const FOREIGN_KEYS = ['project', 'pipeline'] as const;
const FOREIGN_NEED_KEYS = new Set(['project', 'pipeline', 'job', 'ref', 'artifacts', 'optional']);
const PARALLEL_KEYS = new Set(['matrix']);

/** Reads `needs` of a job or of a rule (spec local-pipeline.md §9.5). */
export function readNeeds(entry: Entry): readonly NeedConfig[] {
  if (entry.node.kind !== 'list') {
    entryProblem(entry, 'can only be a hash or an array');
    return [];
  }
  return entry.node.items.flatMap((node) => readNeed({ ...entry, node, location: `${entry.location}:need` }) ?? []);
}

function readNeed(entry: Entry): NeedConfig | undefined {
  if (isText(entry.node)) {
    return {
      job: entry.node.text,
      artifacts: true,
      optional: false,
      matrix: undefined,
      foreign: undefined,
      at: entry.node.at,
    };
  }
  if (entry.node.kind !== 'map') {
    entry.problems.add(`${entry.location} has an unsupported type`, entry.node.at);
    return undefined;
  }
  const anything = fieldsOf(entry, undefined);
  const foreign = FOREIGN_KEYS.find((key) => anything?.has(key) === true);
  if (anything !== undefined && foreign !== undefined) return readForeign(entry, anything, foreign);
  const fields = fieldsOf(entry, JOB_KEYS);
  return fields === undefined ? undefined : readNeedMap(fields, entry.node.at);
}

function readNeedMap(fields: Fields, at: Position): NeedConfig | undefined {
  const job = fields.required('job');
  const parallel = fields.entry('parallel');
  const need = {
    artifacts: fields.boolean('artifacts') ?? true,
    optional: fields.boolean('optional') ?? false,
    matrix: parallel === undefined ? undefined : readSelector(parallel),
    foreign: undefined,
    at,
  };
  return job === undefined ? undefined : { job, ...need };
}

function readSelector(entry: Entry): readonly MatrixRow[] | undefined {
  const fields = fieldsOf(entry, PARALLEL_KEYS);
  const matrix = fields?.entry('matrix');
  if (fields !== undefined && matrix === undefined) entryProblem(entry, 'missing required keys: matrix');
  return matrix === undefined ? undefined : readMatrix(matrix);
}

function readForeign(entry: Entry, fields: Fields, foreign: ForeignNeed): NeedConfig {
  fieldsOf(entry, FOREIGN_NEED_KEYS);
  const job = fields.string('job') ?? '';
  return { job, artifacts: true, optional: false, matrix: undefined, foreign, at: fields.at(foreign) };
}

/** Reads `dependencies`. */
export function readDependencies(entry: Entry): readonly { readonly job: string; readonly at: Position }[] {
  const names = stringsOf(entry.node);
  if (names === undefined) {
    entryProblem(entry, 'should be an array of strings');
    return [];
  }
  const items: readonly YamlNode[] = entry.node.kind === 'list' ? entry.node.items : [];
  return names.map((job, index) => ({ job, at: items[index]?.at ?? entry.node.at }));
}
