import type { PipelineEvent, PipelineStatus } from '../../coordinator/submission.ts';
import { ApiError, errorMessage } from '../../lib/errors.ts';

export interface SteadyEventsOptions {
  /** The events from a number on. */
  readonly read: (from: number) => AsyncIterable<PipelineEvent>;
  readonly pause: (ms: number) => Promise<void>;
  /** Called when the events break off, once for each break. */
  readonly onLost: (message: string) => void;
}

/** Tries after a loss; half a minute in all. */
const pausesMs = [250, 500, 1000, 2000, 4000, 8000, 15_000];

/**
 * The events of a pipeline to its end, also when the coordinator is restarted or the network fails for a while.
 * @throws ApiError when the coordinator stays away.
 */
export async function* steadyEvents(options: SteadyEventsOptions): AsyncGenerator<PipelineEvent> {
  let next = 0;
  let losses = 0;
  let status: PipelineStatus = 'created';
  for (;;) {
    let loss = new ApiError('unreachable', 'the coordinator stopped before the pipeline was over');
    try {
      for await (const event of options.read(next)) {
        next += 1;
        losses = 0;
        if (event.type === 'pipeline') status = event.status;
        yield event;
      }
      if (isSettled(status)) return;
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind !== 'unreachable') throw error;
      loss = error;
    }
    const pauseMs = pausesMs[losses];
    if (pauseMs === undefined) throw loss;
    if (losses === 0) options.onLost(errorMessage(loss));
    losses += 1;
    await options.pause(pauseMs);
  }
}

/** Whether nothing more comes without somebody's doing. */
function isSettled(status: PipelineStatus): boolean {
  return !['created', 'running', 'scheduled'].includes(status);
}
