import type { DecidedJob } from '../decide.ts';
import type { Problems } from '../problems.ts';
import type { Position } from '../yaml/nodes.ts';

/** Tells what a job asks for that a local run does not do, or does in its own way (spec local-pipeline.md §9.2). */
export function noticeLocalLimits(job: DecidedJob, allowRelease: boolean, problems: Problems): void {
  const { config } = job.instance;
  const at = (key: string): Position => config.node.entries.get(key)?.keyAt ?? config.at;
  const has = (key: string): boolean => config.node.entries.has(key);
  if (config.release !== undefined && !allowRelease) {
    problems.notice('`release` is skipped: no release is made from a local run', at('release'));
  }
  if (config.pages !== undefined) {
    problems.notice(
      `\`pages\`: the folder '${config.pages.publish}' is kept as an artifact and not published`,
      at('pages'),
    );
  }
  for (const token of config.idTokens) {
    if (job.variables.scope.find(token.key) !== undefined) continue;
    const hint = `set the variable ${token.key} to a token of your own`;
    problems.notice(`\`id_tokens\`: ${token.key} stays unset, a local run cannot issue tokens`, token.at, hint);
  }
  if (has('identity')) problems.notice('`identity` has no effect locally', at('identity'));
  if (has('dast_configuration'))
    problems.notice('`dast_configuration` has no effect locally', at('dast_configuration'));
  if (config.manualConfirmation !== undefined && job.when !== 'manual') {
    problems.notice('`manual_confirmation` has no effect on a job that is not manual', at('manual_confirmation'));
  }
}

/** GitLab's warning about jobs that may run in two pipelines for one push. */
export function noticeDuplicatePipelines(job: DecidedJob, hasWorkflowRules: boolean, problems: Problems): void {
  const last = job.instance.config.rules?.at(-1);
  if (hasWorkflowRules || last === undefined) return;
  const isBare = last.if === undefined && last.changes === undefined && last.exists === undefined;
  if (!isBare || last.when === undefined || last.when === 'never') return;
  problems.notice(
    `jobs:${job.instance.config.name} may allow multiple pipelines to run for a single action due to \`rules:when\` clause with no \`workflow:rules\``,
    last.at,
  );
}
