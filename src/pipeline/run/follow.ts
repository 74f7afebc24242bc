import type { PipelineEvent, PipelineStatus } from '../../coordinator/submission.ts';
import type { JobSummary } from './display/summary.ts';

/** Shows a pipeline while it runs. */
export interface PipelineReporter {
  event(event: PipelineEvent): void;
  /** Called once, when nothing more will come. */
  end(outcome: PipelineOutcome): void;
}

export interface PipelineOutcome {
  readonly status: PipelineStatus;
  /** Last attempt of each job, in order of definition. */
  readonly jobs: readonly JobSummary[];
}

/**
 * Reads a pipeline's events to their end.
 * @param jobNames in order of definition.
 * @throws the signal's reason; ApiError when the coordinator is lost.
 */
export async function followPipeline(
  events: AsyncIterable<PipelineEvent>,
  jobNames: readonly string[],
  reporter: PipelineReporter,
): Promise<PipelineOutcome> {
  const jobs = new Map<string, JobSummary>();
  let status: PipelineStatus = 'created';
  for await (const event of events) {
    if (event.type === 'job') jobs.set(event.name, event);
    else if (event.type === 'pipeline') status = event.status;
    reporter.event(event);
  }
  const ordered = [...new Set([...jobNames, ...jobs.keys()])].flatMap((name) => jobs.get(name) ?? []);
  const outcome = { status, jobs: ordered };
  reporter.end(outcome);
  return outcome;
}

/** 0 success, 1 failed, 3 waits for a manual job (spec local-pipeline.md §10.3). */
export function exitCodeOf(status: PipelineStatus): number {
  switch (status) {
    case 'success':
    case 'skipped':
      return 0;
    case 'manual':
    case 'scheduled':
      return 3;
    case 'failed':
    case 'canceled':
    case 'running':
    case 'created':
      return 1;
  }
}
