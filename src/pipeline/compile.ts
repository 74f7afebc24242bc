import type { PipelineSubmission, SubmittedJob } from '../coordinator/submission.ts';
import type { JsonValue } from '../lib/json.ts';
import { CacheKeyMaker } from './cache-keys.ts';
import { resolveExtends } from './compose/extends.ts';
import { resolveReferences } from './compose/references.ts';
import { type PipelineConfig, readConfiguration } from './configuration.ts';
import { type CompileContext, ExpressionCache, LazyRegexEngine, RegexEngineMissing, Repository } from './context.ts';
import { type DecidedJob, type DecisionFacts, decideJob } from './decide.ts';
import { effectiveConfiguration } from './effective.ts';
import { type CompiledJob, describeJob } from './explain.ts';
import { checkGraph } from './graph/checks.ts';
import { checkIncluded } from './graph/included-checks.ts';
import { expandParallel } from './graph/instances.ts';
import { InstanceIndex } from './graph/needs.ts';
import type { GivenInputs } from './include/input-values.ts';
import { loadConfiguration } from './include/load.ts';
import type { CompileOptions } from './options.ts';
import { noticeDuplicatePipelines, noticeLocalLimits } from './payload/notices.ts';
import { submittedJob } from './payload/submitted-job.ts';
import { type PipelineNotice, Problems } from './problems.ts';
import { loadRegexEngine } from './regex.ts';
import type { RuleResult } from './rules/evaluate.ts';
import type { RefFacts } from './rules/policies.ts';
import { fromYaml, type PipelineLayers, userLayers } from './variables/job-scope.ts';
import {
  isProtected,
  pipelinePhaseVariables,
  pipelineSourceOf,
  predefinedVariables,
  userVariables,
} from './variables/predefined.ts';
import { identifyProject, type ProjectIdentity } from './variables/project-identity.ts';
import { layer, type VariableLayer, VariableScope } from './variables/scope.ts';
import { decideWorkflow, type WorkflowDecision } from './workflow.ts';
import { fromPlain, type MapEntry } from './yaml/nodes.ts';

/** A compiled pipeline, or why there is none. */
export interface CompiledPipeline {
  /** What a coordinator takes; undefined if nothing is to run, then `notRun` says why. */
  readonly submission: PipelineSubmission | undefined;
  /** GitLab's words for a pipeline that its rules keep from running. */
  readonly notRun: string | undefined;
  /** All jobs of the configuration in order of definition, those left out too, each with the reason. */
  readonly jobs: readonly CompiledJob[];
  /** What came of `workflow:rules`. */
  readonly workflowRules: readonly RuleResult[];
  /** What a local run does otherwise than a server, and other things worth knowing, with their places. */
  readonly notices: readonly PipelineNotice[];
  /** The merged configuration as plain data, made when it is asked for. */
  readonly effective: Readonly<Record<string, JsonValue>>;
}

const DEFAULT_TIMEOUT_SECONDS = 3600;
const EMPTY_PIPELINE =
  'The resulting pipeline would have been empty. Review the rules configuration for the relevant jobs.';

/**
 * Compiles a `.gitlab-ci.yml` with everything it includes to a pipeline, as the GitLab server would
 * (spec local-pipeline.md §1). Throws a `PipelineError` that carries every problem with its place.
 */
export async function compilePipeline(options: CompileOptions): Promise<CompiledPipeline> {
  const regexes = new LazyRegexEngine(loadRegexEngine);
  try {
    return await compileWith(options, regexes);
  } catch (error) {
    if (!(error instanceof RegexEngineMissing)) throw error;
    await regexes.ensure();
    return await compileWith(options, regexes);
  }
}

async function compileWith(options: CompileOptions, regexes: LazyRegexEngine): Promise<CompiledPipeline> {
  const context = newContext(options, regexes);
  const project = identifyProject(options);
  const predefined = layer('predefined', predefinedVariables(options, project));
  const config = await readAll(options, predefined, context);
  const instances = expandParallel(config.jobs);
  checkGraph(instances, config.stages, context.problems);
  context.problems.throwIfAny();

  const layers = pipelineLayers(config, options, predefined);
  const workflow = await decideWorkflow(config.workflow, layers, context);
  const facts: DecisionFacts = {
    layers: workflow.layers,
    ref: refFacts(options, project),
    hasWorkflowRules: config.workflow?.rules !== undefined,
    index: new InstanceIndex(instances),
    skipsTriggers: options.triggers === 'skip',
  };
  const decided: DecidedJob[] = [];
  for (const instance of instances) decided.push(await decideJob(instance, facts, context));
  const included = workflow.runs ? decided.filter((job) => job.included) : [];
  checkIncluded(included, context.problems);
  for (const job of included) {
    noticeLocalLimits(job, options.allowRelease ?? false, context.problems);
    noticeDuplicatePipelines(job, facts.hasWorkflowRules, context.problems);
  }
  const jobs = await submitAll(included, options, context);
  context.problems.throwIfAny();

  const notRun = workflow.runs ? emptyReason(included) : workflow.notRun;
  return {
    submission: notRun === undefined ? assemble(jobs, config, workflow, project, options) : undefined,
    notRun,
    jobs: decided.map((job) => describeJob(job, workflow.runs)),
    workflowRules: workflow.results,
    notices: context.problems.notices(),
    get effective() {
      return effectiveConfiguration(config);
    },
  };
}

function newContext(options: CompileOptions, regexes: LazyRegexEngine): CompileContext {
  return {
    problems: new Problems(),
    repository: new Repository(options.files, options.changedFiles, options.fileCommits, options.signal),
    expressions: new ExpressionCache(),
    regexes,
    evaluateChanges: options.evaluateChanges ?? true,
  };
}

async function readAll(
  options: CompileOptions,
  predefined: VariableLayer,
  context: CompileContext,
): Promise<PipelineConfig> {
  const includeScope = new VariableScope([
    ...userLayers(options.userVariables ?? [], undefined, undefined),
    predefined,
  ]);
  const loaded = await loadConfiguration(options.rootFile, givenInputs(options), includeScope, context);
  if (loaded === undefined || !context.problems.isEmpty) context.problems.throwIfAny();
  if (loaded === undefined) throw new Error('a configuration that cannot be read must be a problem');
  const extended = resolveExtends(loaded, context.problems);
  const resolved = resolveReferences(extended, context.problems);
  return readConfiguration(resolved, context);
}

function givenInputs(options: CompileOptions): GivenInputs {
  const at = { file: '--input', line: 0, column: 0 };
  const entries = Object.entries(options.inputs ?? {});
  return new Map(
    entries.map(([key, value]): [string, MapEntry] => [key, { key, keyAt: at, value: fromPlain(value, at) }]),
  );
}

function pipelineLayers(config: PipelineConfig, options: CompileOptions, predefined: VariableLayer): PipelineLayers {
  return {
    user: options.userVariables ?? [],
    gitUser: layer('GITLAB_USER_*', userVariables(options)),
    workflow: layer('workflow:rules:variables', []),
    root: layer('root variables', config.variables.map(fromYaml)),
    predefined: layer('predefined', [...predefined.variables.values(), ...pipelinePhaseVariables(options)]),
  };
}

function refFacts(options: CompileOptions, project: ProjectIdentity): RefFacts {
  const { gitFacts, mergeRequest } = options;
  const kind = mergeRequest !== undefined ? 'merge_request' : gitFacts.tag === undefined ? 'branch' : 'tag';
  return { kind, ref: gitFacts.refName, source: pipelineSourceOf(options), projectPath: project.path };
}

async function submitAll(
  included: readonly DecidedJob[],
  options: CompileOptions,
  context: CompileContext,
): Promise<SubmittedJob[]> {
  const facts = {
    cacheKeys: new CacheKeyMaker({
      repository: context.repository,
      isProtected: isProtected(options),
      separate: options.separateCaches ?? true,
      objectFormat: options.gitFacts.objectFormat,
    }),
    included: new InstanceIndex(included.map((job) => job.instance)),
    defaultTimeoutSeconds: options.defaultTimeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
    allowRelease: options.allowRelease ?? false,
    problems: context.problems,
  };
  const jobs: SubmittedJob[] = [];
  for (const job of included) jobs.push(await submittedJob(job, facts));
  return jobs;
}

function emptyReason(included: readonly DecidedJob[]): string | undefined {
  const hasOwnStage = included.some(
    ({ instance }) => instance.config.stage !== '.pre' && instance.config.stage !== '.post',
  );
  return hasOwnStage ? undefined : EMPTY_PIPELINE;
}

function assemble(
  jobs: SubmittedJob[],
  config: PipelineConfig,
  workflow: WorkflowDecision,
  project: ProjectIdentity,
  options: CompileOptions,
): PipelineSubmission {
  const { gitFacts } = options;
  return {
    project: { id: project.id, name: project.name, path: project.path },
    git: {
      ref: gitFacts.refName,
      ref_type: gitFacts.tag === undefined ? 'branch' : 'tag',
      sha: gitFacts.sha,
      before_sha: gitFacts.beforeSha,
      protected: isProtected(options),
      object_format: gitFacts.objectFormat,
      depth: options.gitDepth ?? 0,
    },
    name: workflow.name ?? '',
    stages: [...config.stages],
    jobs,
    cancel_on_job_failure: workflow.cancelOnJobFailure,
    only_jobs: [],
    run_needs: false,
    play: [],
    wait_for_sources: false,
  };
}
