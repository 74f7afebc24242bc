import type { PipelineSubmission } from '../../coordinator/submission.ts';
import type { Clock } from '../../lib/clock.ts';
import type { CoordinatorClient, PipelineView } from './coordinator-client.ts';
import { followPipeline, type PipelineOutcome, type PipelineReporter } from './follow.ts';
import { steadyEvents } from './steady-events.ts';

export interface PipelineRun {
  readonly client: CoordinatorClient;
  readonly submission: PipelineSubmission;
  readonly reporter: PipelineReporter;
  /** Gives the coordinator the sources of the new pipeline. */
  readonly sendSources: (pipelineId: number) => Promise<void>;
  /** Called once the pipeline exists; stopping it is possible from here on. */
  readonly onCreated: (pipeline: PipelineView) => void;
  /** Called when the coordinator is lost; it is tried again for half a minute. */
  readonly onLost: (message: string) => void;
  readonly clock: Pick<Clock, 'sleep'>;
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
  await run.sendSources(pipeline.id).catch(async (error: unknown) => {
    // Nobody else would ever start or end it.
    await run.client.stop(pipeline.id, 'abort', signal).catch(() => {});
    throw error;
  });
  const names = run.submission.jobs.map((job) => job.name);
  const events = steadyEvents({
    read: (from) => run.client.events(pipeline.id, from, signal),
    pause: async (ms) => await run.clock.sleep(ms, signal),
    onLost: run.onLost,
  });
  return { ...(await followPipeline(events, names, run.reporter)), id: pipeline.id };
}
