import type { PipelineEvent } from '../../coordinator/submission.ts';
import type { JobSummary } from './display/summary.ts';
import type { PipelineReporter } from './follow.ts';

/**
 * Events as they come, one JSON object a line, and one of type `result` at the end. Names are written as GitLab and
 * `pipeline list --json` write them: `exit_code`.
 */
export function createJsonReporter(write: (text: string) => void): PipelineReporter {
  const line = (value: unknown): void => write(`${JSON.stringify(value)}\n`);
  return {
    event: (event) => line(withSnakeCase(event)),
    end: ({ status, jobs }) => line({ type: 'result', status, jobs: jobs.map(withSnakeCase) }),
  };
}

function withSnakeCase(data: PipelineEvent | JobSummary): Readonly<Record<string, unknown>> {
  const entries = Object.entries(data).map(([name, value]) => [
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    value as unknown,
  ]);
  return Object.fromEntries(entries) as Readonly<Record<string, unknown>>;
}
