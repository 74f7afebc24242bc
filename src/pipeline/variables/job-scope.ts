import type { JobInstance } from '../graph/instances.ts';
import type { EnvironmentConfig } from '../keywords/environment.ts';
import type { YamlVariable } from '../keywords/variables.ts';
import type { UserVariable } from '../options.ts';
import { environmentSlug, guessTier, jobGroupName, slug } from '../slugs.ts';
import { starMatches } from './predefined.ts';
import { layer, type PipelineVariable, type VariableLayer, VariableScope, yamlVariable } from './scope.ts';

/** The variables that are the same for all jobs of a pipeline. */
export interface PipelineLayers {
  readonly user: readonly UserVariable[];
  readonly gitUser: VariableLayer;
  readonly workflow: VariableLayer;
  readonly root: VariableLayer;
  readonly predefined: VariableLayer;
}

/** A job's environment with its texts expanded. */
export interface ResolvedEnvironment {
  readonly name: string;
  readonly slug: string;
  readonly url: string | undefined;
  readonly action: string;
  readonly tier: string;
}

/** All variables of one job by layer; see spec local-pipeline.md §3.2. */
export interface JobVariables {
  readonly scope: VariableScope;
  readonly environment: ResolvedEnvironment | undefined;
  /** Rows 9 to 15, lowest first. */
  readonly below: readonly PipelineVariable[];
  /** Rows 1 to 7, lowest first. */
  readonly above: readonly PipelineVariable[];
  /** Names that the configuration defines for this job. */
  readonly yamlNames: readonly string[];
}

const LEVELS = ['pipeline', 'project', 'group', 'instance'] as const;

/** Collects the variables of a job; `ruleVariables` are those of the rule that matched, `isManual` sets `CI_JOB_MANUAL`. */
export function jobVariables(
  instance: JobInstance,
  ruleVariables: readonly YamlVariable[],
  isManual: boolean,
  layers: PipelineLayers,
): JobVariables {
  const { config } = instance;
  const yaml = {
    rules: layer('rules:variables', ruleVariables.map(fromYaml)),
    matrix: layer(
      'parallel:matrix',
      instance.matrix.map(([key, value]) => yamlVariable(key, value)),
    ),
    job: layer('job variables', config.variables.map(fromYaml)),
    root: filtered(layers.root, config.inheritsVariable),
  };
  const own = layer('predefined (job)', jobPredefined(instance, isManual));
  const lower = [layers.gitUser, yaml.rules, yaml.matrix, yaml.job, layers.workflow, yaml.root, own, layers.predefined];
  const environment = resolveEnvironment(config.environment, instance, layers.user, lower);
  const environmentLayer = layer('predefined (environment)', environmentVariables(environment));
  const top = layer('environment', topmostVariables(environment));
  const user = userLayers(layers.user, instance, environment?.name);
  const strongestFirst = [top, ...user, ...lower.slice(0, -2), environmentLayer, own, layers.predefined];
  const yamlLayers = [yaml.root, layers.workflow, yaml.job, yaml.matrix, yaml.rules];
  return {
    scope: new VariableScope(strongestFirst),
    environment,
    below: [
      ...layers.predefined.variables.values(),
      ...own.variables.values(),
      ...environmentLayer.variables.values(),
      ...merged(yamlLayers),
      ...layers.gitUser.variables.values(),
    ],
    above: [...user.toReversed(), top].flatMap((item) => [...item.variables.values()]),
    yamlNames: yamlLayers.flatMap((item) => [...item.variables.keys()]),
  };
}

/** The user's variables of one job by level, strongest first; of several scopes the most specific one counts. */
export function userLayers(
  variables: readonly UserVariable[],
  instance: JobInstance | undefined,
  environment: string | undefined,
): readonly VariableLayer[] {
  const fits = (variable: UserVariable): boolean => {
    const scope = variable.environmentScope ?? '*';
    if (scope !== '*' && (environment === undefined || !starMatches(scope, environment))) return false;
    return variable.job === undefined || variable.job === instance?.name || variable.job === instance?.config.name;
  };
  if (variables.length === 0) return [];
  const fitting = variables.filter(fits).toSorted((left, right) => specificity(left) - specificity(right));
  const manual = layer('manual job variables', fitting.filter((variable) => variable.job !== undefined).map(fromUser));
  const levels = LEVELS.map((level) => {
    const own = fitting.filter((variable) => variable.level === level && variable.job === undefined);
    return layer(`${level} variables`, own.map(fromUser));
  });
  return [manual, ...levels];
}

/** Length of the text outside of `*`: longer is more specific. */
function specificity(variable: UserVariable): number {
  return (variable.environmentScope ?? '*').replaceAll('*', '').length;
}

export function fromYaml(variable: YamlVariable): PipelineVariable {
  return yamlVariable(variable.key, variable.value, variable.raw);
}

function fromUser(variable: UserVariable): PipelineVariable {
  return {
    key: variable.key,
    value: variable.value,
    public: false,
    file: variable.file ?? false,
    masked: variable.masked ?? false,
    raw: variable.raw ?? false,
  };
}

function filtered(source: VariableLayer, keep: (name: string) => boolean): VariableLayer {
  const kept = [...source.variables.values()].filter((variable) => keep(variable.key));
  return kept.length === source.variables.size ? source : layer(source.name, kept);
}

/** Each name once, with the value of the strongest layer; weakest layer first. */
function merged(layers: readonly VariableLayer[]): Iterable<PipelineVariable> {
  const byKey = new Map<string, PipelineVariable>();
  for (const { variables } of layers) for (const [key, variable] of variables) byKey.set(key, variable);
  return byKey.values();
}

function jobPredefined(instance: JobInstance, isManual: boolean): readonly PipelineVariable[] {
  const variables = [
    yamlVariable('CI_JOB_NAME', instance.name),
    yamlVariable('CI_JOB_NAME_SLUG', slug(instance.name)),
    yamlVariable('CI_JOB_GROUP_NAME', jobGroupName(instance.name)),
    yamlVariable('CI_JOB_STAGE', instance.config.stage),
    yamlVariable('CI_NODE_TOTAL', String(instance.total)),
  ];
  if (instance.index !== undefined) variables.push(yamlVariable('CI_NODE_INDEX', String(instance.index)));
  if (isManual) variables.push(yamlVariable('CI_JOB_MANUAL', 'true'));
  return variables;
}

function resolveEnvironment(
  config: EnvironmentConfig | undefined,
  instance: JobInstance,
  user: readonly UserVariable[],
  lower: readonly VariableLayer[],
): ResolvedEnvironment | undefined {
  if (config === undefined) return undefined;
  const scope = new VariableScope([...userLayers(user, instance, undefined), ...lower]);
  const name = scope.expand(config.name, 'empty');
  const tier = config.tier === undefined ? guessTier(name) : scope.expand(config.tier, 'empty');
  return { name, slug: environmentSlug(name), url: config.url, action: config.action, tier };
}

function environmentVariables(environment: ResolvedEnvironment | undefined): readonly PipelineVariable[] {
  if (environment === undefined) return [];
  return [
    yamlVariable('CI_ENVIRONMENT_NAME', environment.name),
    yamlVariable('CI_ENVIRONMENT_ACTION', environment.action),
    yamlVariable('CI_ENVIRONMENT_TIER', environment.tier),
  ];
}

/** Nobody can override these. */
function topmostVariables(environment: ResolvedEnvironment | undefined): readonly PipelineVariable[] {
  if (environment === undefined) return [];
  const variables = [yamlVariable('CI_ENVIRONMENT_SLUG', environment.slug)];
  if (environment.url !== undefined) variables.push(yamlVariable('CI_ENVIRONMENT_URL', environment.url));
  return variables;
}
