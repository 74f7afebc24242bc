import type { DecidedJob } from './decide.ts';
import type { RuleResult } from './rules/evaluate.ts';

/** A job of the configuration and what became of it; for lists and explanations. */
export interface CompiledJob {
  readonly name: string;
  /** Name as written, without the part that tells parallel instances apart. */
  readonly baseName: string;
  readonly stage: string;
  /** Text of a `# @Description` comment above the job. */
  readonly description: string;
  readonly file: string;
  readonly line: number;
  readonly included: boolean;
  readonly reason: string;
  readonly rules: readonly RuleResult[];
  /** `never` for a job that is left out. */
  readonly when: string;
  readonly startInSeconds: number;
  readonly allowFailure: boolean;
  readonly allowFailureExitCodes: readonly number[];
  /** Null for a job that waits for all earlier stages. */
  readonly needs: readonly string[] | null;
  readonly environment:
    | { readonly name: string; readonly url: string | undefined; readonly action: string }
    | undefined;
  /** What to ask before the manual job is played. */
  readonly manualConfirmation: string | undefined;
  /** All variables with where they come from, made when asked for; masked values are hidden. */
  readonly variables: () => readonly ExplainedVariable[];
}

export interface ExplainedVariable {
  readonly key: string;
  /** Expanded. */
  readonly value: string;
  readonly source: string;
}

/** Describes a decided job; `pipelineRuns` is false where `workflow:rules` keep all of it from running. */
export function describeJob(job: DecidedJob, pipelineRuns: boolean): CompiledJob {
  const { config, name } = job.instance;
  const included = pipelineRuns && job.included;
  return {
    name,
    baseName: config.name,
    stage: config.stage,
    description: config.description,
    file: config.at.file,
    line: config.at.line,
    included,
    reason: pipelineRuns ? job.reason : 'workflow:rules keep the pipeline from running',
    rules: job.rules,
    when: included ? job.when : 'never',
    startInSeconds: job.startInSeconds,
    allowFailure: job.allowFailure.always,
    allowFailureExitCodes: job.allowFailure.exitCodes,
    needs: job.needs === null ? null : job.needs.map((need) => need.job),
    environment: environmentOf(job),
    manualConfirmation: config.manualConfirmation,
    variables: () => explainVariables(job),
  };
}

function environmentOf({ variables }: DecidedJob): CompiledJob['environment'] {
  const { environment, scope } = variables;
  if (environment === undefined) return undefined;
  const url = environment.url === undefined ? undefined : scope.expand(environment.url, 'empty');
  return { name: environment.name, url, action: environment.action };
}

function explainVariables({ variables }: DecidedJob): readonly ExplainedVariable[] {
  const { scope } = variables;
  const seen = new Map<string, ExplainedVariable>();
  for (const { name, variables: own } of scope.layers) {
    for (const variable of own.values()) {
      if (seen.has(variable.key)) continue;
      const value = variable.masked ? '[MASKED]' : (scope.value(variable.key) ?? '');
      seen.set(variable.key, { key: variable.key, value, source: name });
    }
  }
  return [...seen.values()].toSorted((left, right) => (left.key < right.key ? -1 : 1));
}
