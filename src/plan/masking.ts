import type { JobVariable } from '../variables/job-variable.ts';
import type { BuildPlan } from './build-plan.ts';

const alwaysMasked = ['glpat-'];
const maskedByDefault =
  'gloas- gldt- glrt- glcbt- glrtr- glptt- glft- glimt- glagent- glsoat- glffct- _gitlab_session= gltok-'.split(' ');

/** What must not be seen in the trace (spec job-execution.md §12). No prefix is dropped, however many there are. */
export function planMasking(
  variables: readonly JobVariable[],
  serverPrefixes: readonly string[],
  masksDefaultTokens: boolean,
): BuildPlan['masking'] {
  const phrases = variables.filter(({ masked }) => masked).map(({ value }) => value.trim());
  const prefixes = [...serverPrefixes, ...alwaysMasked, ...(masksDefaultTokens ? maskedByDefault : [])];
  return {
    phrases: distinct(phrases).sort((a, b) => b.length - a.length),
    tokenPrefixes: distinct(prefixes.map((prefix) => prefix.trim())).sort(
      (a, b) => a.length - b.length || (a < b ? -1 : 1),
    ),
  };
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].filter((text) => text !== '');
}
