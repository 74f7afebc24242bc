import type { JobRecord } from '../state/records.ts';
import { jobEvent, type LivePipeline } from './live-pipeline.ts';
import type { TraceBook } from './trace-book.ts';

/** Adds the events that a killed coordinator had no time to write: states and trace bytes are written first. */
export async function catchUpEvents(pipeline: LivePipeline, traces: TraceBook, at: number): Promise<void> {
  const lastStatus = new Map<number, string>();
  const traceSize = new Map<number, number>();
  for (const event of pipeline.events.events) {
    if (event.type === 'job') lastStatus.set(event.id, event.status);
    if (event.type === 'trace') traceSize.set(event.id, event.offset + event.length);
  }
  for (const job of pipeline.attempts()) {
    await catchUpTrace(pipeline, job, traceSize.get(job.id) ?? 0, traces);
    if (lastStatus.get(job.id) !== job.status) pipeline.events.append(jobEvent(job, at));
  }
}

async function catchUpTrace(pipeline: LivePipeline, job: JobRecord, told: number, traces: TraceBook): Promise<void> {
  const size = await traces.size(job.id);
  if (size > told) {
    pipeline.events.append({ type: 'trace', id: job.id, name: job.name, offset: told, length: size - told });
  }
}
