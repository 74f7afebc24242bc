import type { CompileContext } from './context.ts';
import type { JobInstance } from './graph/instances.ts';
import { type InstanceIndex, type ResolvedNeed, resolveNeeds } from './graph/needs.ts';
import type { JobWhen } from './keywords/job.ts';
import type { JobRule } from './keywords/job-rules.ts';
import type { AllowFailure } from './keywords/job-values.ts';
import { defaultOnly } from './keywords/policies.ts';
import { firstMatch, type RuleResult } from './rules/evaluate.ts';
import { policyRefusal, type RefFacts } from './rules/policies.ts';
import { type JobVariables, jobVariables, type PipelineLayers } from './variables/job-scope.ts';

/** What was decided about one job instance. */
export interface DecidedJob {
  readonly instance: JobInstance;
  readonly included: boolean;
  /** Why, in a few words. */
  readonly reason: string;
  /** The rules that were looked at; empty for jobs without. */
  readonly rules: readonly RuleResult[];
  readonly when: JobWhen;
  readonly startInSeconds: number;
  readonly allowFailure: AllowFailure;
  readonly interruptible: boolean;
  /** Null for a job that waits for all earlier stages. */
  readonly needs: readonly ResolvedNeed[] | null;
  readonly variables: JobVariables;
}

/** What decisions depend on beside the job. */
export interface DecisionFacts {
  readonly layers: PipelineLayers;
  readonly ref: RefFacts;
  readonly hasWorkflowRules: boolean;
  readonly index: InstanceIndex;
  /** Jobs that trigger another pipeline are left out. */
  readonly skipsTriggers: boolean;
}

/** Decides whether and how a job runs (spec local-pipeline.md §8, §12). */
export async function decideJob(
  instance: JobInstance,
  facts: DecisionFacts,
  context: CompileContext,
): Promise<DecidedJob> {
  const decided = await decideByConditions(instance, facts, context);
  const { config } = instance;
  if (!decided.included || !config.isBridge || !facts.skipsTriggers) return decided;
  const at = config.node.entries.get('trigger')?.keyAt ?? config.at;
  context.problems.notice(`jobs:${config.name} is left out: trigger is not supported locally`, at);
  return { ...decided, included: false, reason: 'triggers are left out of local runs' };
}

async function decideByConditions(
  instance: JobInstance,
  facts: DecisionFacts,
  context: CompileContext,
): Promise<DecidedJob> {
  const { config } = instance;
  if (config.rules !== undefined) return decideByRules(instance, config.rules, facts, context);
  const when = config.when ?? 'on_success';
  const variables = jobVariables(instance, [], when === 'manual', facts.layers);
  const hasPolicy = config.only !== undefined || config.except !== undefined;
  const only = config.only ?? (hasPolicy || !facts.hasWorkflowRules ? defaultOnly(config.at) : undefined);
  const refusal = await policyRefusal(only, config.except, facts.ref, variables.scope, context);
  return {
    ...unruled(instance, facts, context),
    included: refusal === undefined,
    reason: refusal ?? (hasPolicy ? 'only and except let it in' : 'it has no rules'),
    variables,
  };
}

async function decideByRules(
  instance: JobInstance,
  rules: readonly JobRule[],
  facts: DecisionFacts,
  context: CompileContext,
): Promise<DecidedJob> {
  const { config } = instance;
  const before = jobVariables(instance, [], config.when === 'manual', facts.layers);
  const { rule, results } = await firstMatch(rules, before.scope, context);
  const base = { ...unruled(instance, facts, context), rules: results };
  if (rule === undefined) return { ...base, included: false, reason: 'no rule matches', variables: before };
  const number = (results.at(-1)?.index ?? 0) + 1;
  if (rule.when === 'never')
    return { ...base, included: false, reason: `rule ${number} says never`, variables: before };
  const when = rule.when ?? config.when ?? 'on_success';
  const needs =
    rule.needs === undefined ? base.needs : resolveNeeds(instance, rule.needs, facts.index, context.problems);
  const sameVariables = rule.variables.length === 0 && (when === 'manual') === (config.when === 'manual');
  return {
    ...base,
    included: true,
    reason: `rule ${number} matches`,
    when,
    startInSeconds: when === 'delayed' ? (rule.startInSeconds ?? config.startInSeconds ?? 0) : 0,
    allowFailure: rule.allowFailure === undefined ? base.allowFailure : { always: rule.allowFailure, exitCodes: [] },
    interruptible: rule.interruptible ?? config.interruptible,
    needs,
    variables: sameVariables ? before : jobVariables(instance, rule.variables, when === 'manual', facts.layers),
  };
}

/** A job as its own keywords have it. */
function unruled(instance: JobInstance, facts: DecisionFacts, context: CompileContext) {
  const { config } = instance;
  const { needs } = config;
  return {
    instance,
    rules: [],
    when: config.when ?? 'on_success',
    startInSeconds: config.startInSeconds ?? 0,
    // a manual job that says nothing else is optional
    allowFailure: config.allowFailure ?? { always: config.when === 'manual', exitCodes: [] },
    interruptible: config.interruptible,
    needs: needs === undefined ? null : resolveNeeds(instance, needs, facts.index, context.problems),
  } as const;
}
