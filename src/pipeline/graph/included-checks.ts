import { circularVariablesMessage } from '../../variables/server-expansion.ts';
import type { DecidedJob } from '../decide.ts';
import type { Problems } from '../problems.ts';
import { checkCycles } from './checks.ts';
import type { ResolvedNeed } from './needs.ts';

/** The checks of the jobs that are really in the pipeline (spec local-pipeline.md §1, row 14). */
export function checkIncluded(included: readonly DecidedJob[], problems: Problems): void {
  const byName = new Map(included.map((job) => [job.instance.name, job]));
  for (const job of included) {
    checkIsLocal(job, problems);
    checkVariables(job, problems);
    for (const need of job.needs ?? []) checkNeed(job, need, byName, problems);
  }
  const edges = new Map(included.map((job) => [job.instance.name, (job.needs ?? []).map((need) => need.job)]));
  const placeOf = (name: string) => byName.get(name)?.instance.config.at ?? { file: '', line: 0, column: 0 };
  checkCycles(edges, placeOf, problems);
}

function checkIsLocal({ instance }: DecidedJob, problems: Problems): void {
  const { config } = instance;
  if (!config.isBridge) return;
  const at = config.node.entries.get('trigger')?.keyAt ?? config.at;
  const hint =
    'child and multi-project pipelines need a GitLab server: leave the job out with rules, such as one on $MILLRACE_LOCAL';
  problems.add(`jobs:${config.name} trigger is not supported locally`, at, hint);
}

function checkVariables({ instance, variables }: DecidedJob, problems: Problems): void {
  const cycle = variables.scope.cycle(variables.yamlNames);
  if (cycle === undefined) return;
  problems.add(`${instance.name}: ${circularVariablesMessage(cycle)}`, instance.config.at);
}

function checkNeed(
  { instance }: DecidedJob,
  need: ResolvedNeed,
  byName: ReadonlyMap<string, DecidedJob>,
  problems: Problems,
): void {
  const { name } = instance;
  if (need.foreign !== undefined) {
    const hint = 'a local run has only the jobs of this pipeline';
    problems.add(
      `jobs:${instance.config.name}:needs \`needs:${need.foreign}\` is not supported locally`,
      need.at,
      hint,
    );
  } else if (!need.optional && !byName.has(need.job)) {
    problems.add(
      `'${name}' job needs '${need.job}' job, but '${need.job}' does not exist in the pipeline. This might be because of the only, except, or rules keywords. To need a job that sometimes does not exist in the pipeline, use needs:optional.`,
      need.at,
    );
  }
}
