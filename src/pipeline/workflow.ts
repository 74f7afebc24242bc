import type { CompileContext } from './context.ts';
import type { WorkflowConfig } from './keywords/workflow.ts';
import { firstMatch, type RuleResult } from './rules/evaluate.ts';
import { fromYaml, type PipelineLayers, userLayers } from './variables/job-scope.ts';
import { layer, VariableScope, yamlVariable } from './variables/scope.ts';

/** What `workflow` decides for the whole pipeline (spec local-pipeline.md §2.3). */
export interface WorkflowDecision {
  readonly runs: boolean;
  /** GitLab's words, if it does not. */
  readonly notRun: string | undefined;
  readonly name: string | undefined;
  readonly cancelOnJobFailure: boolean;
  /** With the variables of the rule that matched. */
  readonly layers: PipelineLayers;
  readonly results: readonly RuleResult[];
}

const NOT_RUN = 'The pipeline did not run. Review the workflow:rules configuration for the pipeline.';

/** Evaluates `workflow:rules` and what hangs on them. */
export async function decideWorkflow(
  config: WorkflowConfig | undefined,
  layers: PipelineLayers,
  context: CompileContext,
): Promise<WorkflowDecision> {
  const { rule, results } = await firstMatch(config?.rules ?? [], scopeOf(layers), context);
  const runs = config?.rules === undefined || rule?.when === 'always';
  const withVariables = {
    ...layers,
    workflow: layer(layers.workflow.name, (rule?.variables ?? []).map(fromYaml)),
  };
  const name = scopeOf(withVariables)
    .expand(config?.name ?? '', 'empty')
    .trim();
  const named = name === '' ? [] : [yamlVariable('CI_PIPELINE_NAME', name, true)];
  const onJobFailure = rule?.autoCancel?.onJobFailure ?? config?.autoCancel?.onJobFailure;
  return {
    runs,
    notRun: runs ? undefined : NOT_RUN,
    name: name === '' ? undefined : name,
    cancelOnJobFailure: onJobFailure === 'all',
    layers: {
      ...withVariables,
      predefined: layer(layers.predefined.name, [...layers.predefined.variables.values(), ...named]),
    },
    results,
  };
}

function scopeOf(layers: PipelineLayers): VariableScope {
  const user = userLayers(layers.user, undefined, undefined);
  return new VariableScope([...user, layers.gitUser, layers.workflow, layers.root, layers.predefined]);
}
