import type { PipelineSubmission } from '../../coordinator/submission.ts';
import type { CoordinatorClient, PipelineView } from './coordinator-client.ts';
import { followPipeline, type PipelineOutcome, type PipelineReporter } from './follow.ts';

export interface PipelineRun {
  readonly client: CoordinatorClient;
  readonly submission: PipelineSubmission;
  readonly reporter: PipelineReporter;
  /** Gives the coordinator the sources of the new pipeline. */
  readonly sendSources: (pipelineId: number) => Promise<void>;
  /** Called once the pipeline exists; stopping it is possible from here on. */
  readonly onCreated: (pipeline: PipelineView) => void;
}

/**
 * Submits a pipeline, sends its sources and follows it to its end.
 * @throws the signal's reason; ApiError when the coordinator is lost.
 */
export async function runPipeline(
  run: PipelineRun,
  signal: AbortSignal,
): Promise<PipelineOutcome & { readonly id: number }> {
  const pipeline = await run.client.submit(run.submission, signal);
  run.onCreated(pipeline);
  await run.sendSources(pipeline.id);
  const names = run.submission.jobs.map((job) => job.name);
  const events = run.client.events(pipeline.id, 0, signal);
  return { ...(await followPipeline(events, names, run.reporter)), id: pipeline.id };
}
