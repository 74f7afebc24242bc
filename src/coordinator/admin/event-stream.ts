import type { CoordinatorCore } from '../engine/core.ts';
import type { LivePipeline } from '../engine/live-pipeline.ts';
import type { StoredEvent } from '../store/event-log.ts';
import type { PipelineEvent } from '../submission.ts';

/**
 * The events of a pipeline from a number on, one JSON line each: what happened so far, then what happens, until the
 * pipeline is complete or waits for somebody to play a job. Ends early when the signal is aborted.
 */
export async function* streamEvents(
  core: CoordinatorCore,
  pipeline: LivePipeline,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const log = pipeline.events;
  let wake = (): void => {};
  const stopListening = log.listen(() => wake());
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort);
  try {
    for (let index = from; !signal.aborted; ) {
      const event = log.events[index];
      if (event !== undefined) {
        yield Buffer.from(`${JSON.stringify(await fullEvent(core, event))}\n`);
        index += 1;
        continue;
      }
      if (pipeline.isCompleted || pipeline.isBlocked) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      await promise;
    }
  } finally {
    stopListening();
    signal.removeEventListener('abort', onAbort);
    if (pipeline.record.finishedAt !== null) pipeline.rest();
  }
}

async function fullEvent(core: CoordinatorCore, event: StoredEvent): Promise<PipelineEvent> {
  if (event.type !== 'trace') return event;
  const { id, name, offset, length } = event;
  const bytes = await core.traces.read(id, offset, offset + length);
  return { type: 'trace', id, name, offset, data: bytes.toString('base64') };
}
