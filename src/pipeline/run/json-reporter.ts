import type { PipelineReporter } from './follow.ts';

/** Events as they come, one JSON object a line, and one of type `result` at the end. */
export function createJsonReporter(write: (text: string) => void): PipelineReporter {
  const line = (value: unknown): void => write(`${JSON.stringify(value)}\n`);
  return {
    event: (event) => line(event),
    end: ({ status, jobs }) => line({ type: 'result', status, jobs }),
  };
}
