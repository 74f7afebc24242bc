import { applyDefaults, readDefaults } from './compose/defaults.ts';
import type { CompileContext } from './context.ts';
import { type JobConfig, readDefaultKeywords, readJob } from './keywords/job.ts';
import { KeywordMemo } from './keywords/keyword-memo.ts';
import { readStages } from './keywords/stages.ts';
import { type RootVariable, readRootVariables } from './keywords/variables.ts';
import { readWorkflow, type WorkflowConfig } from './keywords/workflow.ts';
import { isNull, type MapEntry, type MapNode, valueOf } from './yaml/nodes.ts';
import { Fields } from './yaml/reader.ts';

/** A whole configuration as it is written, before anything is decided. */
export interface PipelineConfig {
  readonly stages: readonly string[];
  readonly variables: readonly RootVariable[];
  readonly workflow: WorkflowConfig | undefined;
  /** In order of definition; by name, the last one of a name. */
  readonly jobs: readonly JobConfig[];
  /** The merged configuration, defaults not filled in. */
  readonly node: MapNode;
}

const ROOT_KEYS = new Set([
  'default',
  'include',
  'before_script',
  'image',
  'services',
  'after_script',
  'variables',
  'stages',
  'cache',
  'workflow',
]);
const KINDS_OF_JOB = ['script', 'run', 'trigger'];
const RESERVED_NAMES = new Set(['true', 'false', 'nil', 'pages:deploy']);
const MAX_NAME_LENGTH = 255;

/** Reads the merged configuration (spec local-pipeline.md §2). All that is wrong goes to the context's problems. */
export function readConfiguration(root: MapNode, context: CompileContext): PipelineConfig {
  const { problems } = context;
  const fields = new Fields(root, 'root', problems);
  const named = (key: string) => {
    const node = fields.get(key);
    return node === undefined ? undefined : { node, location: key, problems };
  };
  const variables = named('variables');
  const workflow = named('workflow');
  return {
    stages: readStages(named('stages')),
    variables: variables === undefined ? [] : readRootVariables(variables),
    workflow: workflow === undefined ? undefined : readWorkflow(workflow, context),
    jobs: readJobs(root, context),
    node: root,
  };
}

function readJobs(root: MapNode, context: CompileContext): readonly JobConfig[] {
  const defaults = readDefaults(root, context.problems);
  const memo = new KeywordMemo();
  readDefaultKeywords(defaults, memo, context);
  const visible = [...root.entries.values()].filter((entry) => !ROOT_KEYS.has(entry.key) && !entry.key.startsWith('.'));
  if (visible.length === 0) context.problems.add('jobs config should contain at least one visible job', root.at);
  return visible.flatMap((entry) => {
    if (!isJob(entry, context)) return [];
    const isBridge = valueOf(entry.value, 'trigger') !== undefined;
    const withDefaults = isBridge
      ? entry.value
      : applyDefaults(entry.value, defaults, `jobs:${entry.key}`, context.problems);
    return readJob(entry, withDefaults, memo, context) ?? [];
  });
}

function isJob(entry: MapEntry, context: CompileContext): entry is MapEntry & { readonly value: MapNode } {
  const { key, keyAt, value } = entry;
  const refuse = (message: string, at = keyAt, hint?: string): false => {
    context.problems.add(message, at, hint);
    return false;
  };
  if (key.trim() === '') return refuse("jobs name can't be blank");
  if (key.length > MAX_NAME_LENGTH)
    return refuse(`jobs:${key} name is too long (maximum is ${MAX_NAME_LENGTH} characters)`);
  if (RESERVED_NAMES.has(key))
    return refuse(`jobs:${key} name is reserved`, keyAt, 'yes, no, on and off are booleans for YAML');
  if (value.kind !== 'map') {
    const hint = isNull(value) ? undefined : 'names that start with a dot are not run';
    return refuse(`jobs ${key} config should implement the script:, run:, or trigger: keyword`, keyAt, hint);
  }
  if (KINDS_OF_JOB.every((kind) => valueOf(value, kind) === undefined)) {
    return refuse(`jobs ${key} config should implement the script:, run:, or trigger: keyword`);
  }
  return true;
}
