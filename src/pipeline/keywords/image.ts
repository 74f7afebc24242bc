import { type Entry, entryProblem, type Fields, fieldsOf, isText } from '../yaml/reader.ts';
import { readScalarVariables, type YamlVariable } from './variables.ts';

/** `image` or one of `services`. */
export interface ImageConfig {
  readonly name: string;
  readonly alias: string | undefined;
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[] | undefined;
  readonly variables: readonly YamlVariable[];
  readonly pullPolicy: readonly string[] | undefined;
  readonly executorOptions: Readonly<Record<string, Readonly<Record<string, string | number>>>> | undefined;
}

const IMAGE_KEYS = new Set(['name', 'entrypoint', 'docker', 'kubernetes', 'pull_policy']);
const SERVICE_KEYS = new Set([...IMAGE_KEYS, 'command', 'alias', 'variables']);
const PULL_POLICIES = new Set(['always', 'if-not-present', 'never']);
const EXECUTOR_KEYS = { docker: new Set(['platform', 'user']), kubernetes: new Set(['user']) } as const;
const EXPECTED = 'should be a hash or a string';

/** Reads `image` (spec local-pipeline.md §9.2). */
export function readImage(entry: Entry): ImageConfig | undefined {
  return readOne(entry, IMAGE_KEYS);
}

/** Reads `services`. */
export function readServices(entry: Entry): readonly ImageConfig[] {
  if (entry.node.kind !== 'list') {
    entryProblem(entry, 'should be an array');
    return [];
  }
  return entry.node.items.flatMap(
    (node) => readOne({ ...entry, node, location: `${entry.location}:service` }, SERVICE_KEYS) ?? [],
  );
}

function readOne(entry: Entry, keys: ReadonlySet<string>): ImageConfig | undefined {
  if (isText(entry.node)) {
    if (entry.node.text.trim() === '') entryProblem(entry, "can't be blank");
    return { ...NOTHING, name: entry.node.text };
  }
  const fields = fieldsOf(entry, keys, EXPECTED);
  if (fields === undefined) return undefined;
  const name = fields.required('name');
  const variables = fields.entry('variables');
  const image = {
    name: name ?? '',
    alias: fields.string('alias'),
    entrypoint: fields.strings('entrypoint'),
    command: fields.stringOrStrings('command'),
    variables: variables === undefined ? [] : readScalarVariables(variables),
    pullPolicy: readPullPolicy(fields),
    executorOptions: readExecutorOptions(fields),
  };
  return name === undefined ? undefined : image;
}

const NOTHING = {
  alias: undefined,
  entrypoint: undefined,
  command: undefined,
  variables: [],
  pullPolicy: undefined,
  executorOptions: undefined,
};

function readPullPolicy(fields: Fields): readonly string[] | undefined {
  const policies = fields.stringOrStrings('pull_policy');
  const unknown = policies?.find((policy) => !PULL_POLICIES.has(policy));
  if (unknown !== undefined) fields.problem('pull_policy', `unknown value: ${unknown}`);
  return policies;
}

function readExecutorOptions(fields: Fields): ImageConfig['executorOptions'] {
  const options: Record<string, Record<string, string | number>> = {};
  for (const executor of ['docker', 'kubernetes'] as const) {
    const entry = fields.entry(executor);
    const inner = entry === undefined ? undefined : fieldsOf(entry, EXECUTOR_KEYS[executor]);
    if (inner === undefined) continue;
    const values: Record<string, string | number> = {};
    for (const key of EXECUTOR_KEYS[executor]) {
      const node = inner.get(key);
      if (node === undefined) continue;
      if (node.kind !== 'scalar' || node.type === 'boolean') inner.problem(key, 'should be a string');
      else values[key] = node.type === 'integer' ? Number(node.text) : node.text;
    }
    options[executor] = values;
  }
  return Object.keys(options).length === 0 ? undefined : options;
}
