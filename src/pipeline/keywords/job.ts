import type { JsonValue } from '../../lib/json.ts';
import type { CompileContext } from '../context.ts';
import { type MapEntry, type MapNode, type Position, toPlain, valueOf, type YamlNode } from '../yaml/nodes.ts';
import { type Entry, Fields, fieldsOf } from '../yaml/reader.ts';
import { type ArtifactsConfig, readArtifacts } from './artifacts.ts';
import { type CacheConfig, readCaches } from './cache.ts';
import { type EnvironmentConfig, readEnvironment } from './environment.ts';
import { type ImageConfig, readImage, readServices } from './image.ts';
import { type JobInput, readJobInputs } from './job-inputs.ts';
import { type JobRule, readJobRules, readStartIn } from './job-rules.ts';
import {
  type AllowFailure,
  type Hook,
  readAllowFailure,
  readCoverage,
  readFlag,
  readHooks,
  readTags,
  readTimeout,
} from './job-values.ts';
import type { KeywordMemo } from './keyword-memo.ts';
import { type NeedConfig, readDependencies, readNeeds } from './needs.ts';
import { type PagesConfig, readPages } from './pages.ts';
import { type ParallelConfig, readParallel } from './parallel.ts';
import { type PolicyConfig, readExcept, readOnly } from './policies.ts';
import { type ReleaseConfig, readRelease } from './release.ts';
import { type RetryConfig, readRetry } from './retry.ts';
import { readScript } from './script.ts';
import { type IdTokenConfig, readIdTokens, readSecrets, type SecretConfig } from './secrets.ts';
import { readJobVariables, readVariableInheritance, type YamlVariable } from './variables.ts';

export const JOB_WHEN = ['on_success', 'on_failure', 'always', 'manual', 'delayed'] as const;
export type JobWhen = (typeof JOB_WHEN)[number];

/** A job as it is written, with defaults filled in; instances of `parallel` and rules come later. */
export interface JobConfig {
  readonly name: string;
  readonly at: Position;
  readonly node: MapNode;
  /** It has `trigger` instead of a script; a local run can only leave it out. */
  readonly isBridge: boolean;
  /** Text of a `# @Description` comment above the job. */
  readonly description: string;
  readonly stage: string;
  readonly stageAt: Position;
  readonly script: readonly string[];
  readonly beforeScript: readonly string[];
  readonly afterScript: readonly string[];
  /** `run` as plain data; then there is no script. */
  readonly run: JsonValue | undefined;
  readonly image: ImageConfig | undefined;
  readonly services: readonly ImageConfig[];
  readonly variables: readonly YamlVariable[];
  readonly inheritsVariable: (name: string) => boolean;
  readonly rules: readonly JobRule[] | undefined;
  readonly only: PolicyConfig | undefined;
  readonly except: PolicyConfig | undefined;
  readonly when: JobWhen | undefined;
  readonly startInSeconds: number | undefined;
  readonly allowFailure: AllowFailure | undefined;
  readonly needs: readonly NeedConfig[] | undefined;
  readonly dependencies: readonly { readonly job: string; readonly at: Position }[] | undefined;
  readonly parallel: ParallelConfig | undefined;
  readonly artifacts: ArtifactsConfig | undefined;
  readonly caches: readonly CacheConfig[];
  readonly retry: RetryConfig | undefined;
  readonly timeoutSeconds: number | undefined;
  readonly interruptible: boolean;
  readonly tags: readonly string[];
  readonly environment: EnvironmentConfig | undefined;
  readonly resourceGroup: string | undefined;
  readonly coverage: string | undefined;
  readonly release: ReleaseConfig | undefined;
  readonly pages: PagesConfig | undefined;
  readonly hooks: readonly Hook[];
  readonly secrets: readonly SecretConfig[];
  readonly idTokens: readonly IdTokenConfig[];
  readonly inputs: readonly JobInput[];
  readonly manualConfirmation: string | undefined;
}

const JOB_KEYS = new Set(
  [
    'tags script image services start_in artifacts cache dependencies before_script after_script hooks coverage retry',
    'parallel timeout inputs release id_tokens publish pages manual_confirmation run extends stage only except rules',
    'variables inherit allow_failure when needs resource_group environment interruptible secrets dast_configuration identity',
  ]
    .join(' ')
    .split(' '),
);
const BRIDGE_KEYS = new Set(
  [
    'trigger parallel extends stage only except rules variables inherit allow_failure when needs resource_group',
    'environment interruptible start_in manual_confirmation script run',
  ]
    .join(' ')
    .split(' '),
);
const EXCLUSIVE = [
  ['script', 'trigger'],
  ['run', 'trigger'],
  ['script', 'run'],
  ['before_script', 'run'],
  ['after_script', 'run'],
] as const;
const NOT_WITH_RULES = ['only', 'except', 'start_in'] as const;
const INHERIT_KEYS = new Set(['default', 'variables']);

/** Reads one job (spec local-pipeline.md §9). `node` has its defaults already. */
export function readJob(
  source: MapEntry,
  node: MapNode,
  memo: KeywordMemo,
  context: CompileContext,
): JobConfig | undefined {
  const location = `jobs:${source.key}`;
  const entry: Entry = { node, location, problems: context.problems };
  const isBridge = valueOf(node, 'trigger') !== undefined;
  const fields = fieldsOf(entry, isBridge ? BRIDGE_KEYS : JOB_KEYS);
  if (fields === undefined) return undefined;
  checkCombinations(fields);
  const inherit = fields.entry('inherit');
  const inherits = inherit === undefined ? undefined : fieldsOf(inherit, INHERIT_KEYS);
  const variables = memo.read('variables', fields.entry('variables'), readJobVariables) ?? [];
  const run = fields.get('run');
  return {
    name: source.key,
    at: source.keyAt,
    node,
    isBridge,
    description: /@Description\s+(.*)/.exec(source.comment ?? '')?.[1]?.trim() ?? '',
    stage: fields.string('stage') ?? 'test',
    stageAt: fields.get('stage')?.at ?? source.keyAt,
    script: readRequiredScript(fields, memo),
    run: run === undefined ? undefined : toPlain(run),
    variables,
    inheritsVariable: readVariableInheritance(inherits?.entry('variables')),
    ...readConditions(fields, memo, context),
    ...readGraph(fields, memo),
    ...readContent(fields, memo),
    ...readExecution(fields, memo, context),
  };
}

/** Reads the values of `default` on their own, so that what is wrong with them is told once and not for every job. */
export function readDefaultKeywords(node: MapNode, memo: KeywordMemo, context: CompileContext): void {
  const fields = new Fields(node, 'default', context.problems);
  readContent(fields, memo);
  readExecution(fields, memo, context);
}

function checkCombinations(fields: Fields): void {
  for (const keys of EXCLUSIVE) {
    if (keys.every((key) => fields.has(key))) {
      fields.problems.add(
        `${fields.location} config these keys cannot be used together: ${keys.join(', ')}`,
        fields.at(keys[1]),
      );
    }
  }
  if (!fields.has('rules')) return;
  const excluded = NOT_WITH_RULES.filter((key) => fields.has(key));
  const first = excluded[0];
  if (first !== undefined) {
    fields.problems.add(
      `${fields.location} config key may not be used with \`rules\`: ${excluded.join(', ')}`,
      fields.at(first),
    );
  }
}

function readRequiredScript(fields: Fields, memo: KeywordMemo): readonly string[] {
  const script = memo.read('script', fields.entry('script'), readScript);
  if (script?.every((line) => line === '') === true) fields.problem('script', "can't be blank");
  return script ?? [];
}

function readConditions(fields: Fields, memo: KeywordMemo, context: CompileContext) {
  const when = fields.oneOf('when', JOB_WHEN);
  const hasRules = fields.has('rules');
  return {
    when,
    startInSeconds: hasRules ? undefined : readStartIn(fields, when),
    rules: memo.read('rules', fields.entry('rules'), (entry) => readJobRules(entry, context)),
    only: memo.read('only', fields.entry('only'), (entry) => readOnly(entry, context)),
    except: memo.read('except', fields.entry('except'), (entry) => readExcept(entry, context)),
    allowFailure: readAllowFailure(fields),
    manualConfirmation: fields.string('manual_confirmation'),
  };
}

function readGraph(fields: Fields, memo: KeywordMemo) {
  return {
    needs: memo.read('needs', fields.entry('needs'), readNeeds),
    dependencies: memo.read('dependencies', fields.entry('dependencies'), readDependencies),
    parallel: memo.read('parallel', fields.entry('parallel'), readParallel),
    resourceGroup: fields.string('resource_group'),
    environment: memo.read('environment', fields.entry('environment'), readEnvironment),
  };
}

function readContent(fields: Fields, memo: KeywordMemo) {
  const hooks = fields.entry('hooks');
  const pages = fields.entry('pages') ?? legacyPages(fields);
  return {
    beforeScript: memo.read('before_script', fields.entry('before_script'), readScript) ?? [],
    afterScript: memo.read('after_script', fields.entry('after_script'), readScript) ?? [],
    image: memo.read('image', fields.entry('image'), readImage),
    services: memo.read('services', fields.entry('services'), readServices) ?? [],
    artifacts: memo.read('artifacts', fields.entry('artifacts'), readArtifacts),
    caches: memo.read('cache', fields.entry('cache'), readCaches) ?? [],
    hooks: memo.read('hooks', hooks, readHooks) ?? [],
    release: memo.read('release', fields.entry('release'), readRelease),
    secrets: memo.read('secrets', fields.entry('secrets'), readSecrets) ?? [],
    idTokens: memo.read('id_tokens', fields.entry('id_tokens'), readIdTokens) ?? [],
    inputs: memo.read('inputs', fields.entry('inputs'), readJobInputs) ?? [],
    pages: pages === undefined ? undefined : readPages(pages, fields.string('publish')),
  };
}

/** A job called `pages` publishes without saying so. */
function legacyPages(fields: Fields): Entry | undefined {
  const isLegacy = fields.location === 'jobs:pages' && !fields.node.entries.has('pages');
  if (!isLegacy && !fields.has('publish')) return undefined;
  const node: YamlNode = { kind: 'scalar', type: 'boolean', text: 'true', at: fields.node.at };
  return { node, location: `${fields.location}:pages`, problems: fields.problems };
}

function readExecution(fields: Fields, memo: KeywordMemo, context: CompileContext) {
  return {
    retry: memo.read('retry', fields.entry('retry'), readRetry),
    timeoutSeconds: memo.read('timeout', fields.entry('timeout'), readTimeout),
    interruptible: memo.read('interruptible', fields.entry('interruptible'), readFlag) ?? false,
    tags: memo.read('tags', fields.entry('tags'), readTags) ?? [],
    coverage: readCoverage(fields, context),
  };
}
