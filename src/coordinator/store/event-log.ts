import { openRecordFile, type RecordFile } from '../../platform/record-file.ts';
import type { PipelineEvent, PipelineStatus } from '../submission.ts';

/** An event as it is kept: trace bytes stay in the trace file. */
export type StoredEvent =
  | Exclude<PipelineEvent, { type: 'trace' }>
  | {
      readonly type: 'trace';
      readonly id: number;
      readonly name: string;
      readonly offset: number;
      readonly length: number;
    };

/** The events of one pipeline, in order, on disk and (while somebody cares) in memory. */
export class EventLog {
  readonly events: StoredEvent[];
  readonly #file: RecordFile;
  /** Status that the last pipeline event told. */
  lastStatus: PipelineStatus | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(path: string) {
    const opened = openRecordFile(path);
    this.#file = opened.file;
    this.events = opened.records as unknown as StoredEvent[];
    this.lastStatus = this.events.findLast((event) => event.type === 'pipeline')?.status;
  }

  /** @throws StorageError */
  append(event: StoredEvent): void {
    this.#file.append(event);
    this.events.push(event);
    if (event.type === 'pipeline') this.lastStatus = event.status;
    this.notify();
  }

  /** Wakes those who wait for events; also used when the pipeline's end is near without a new event. */
  notify(): void {
    for (const listener of this.#listeners) listener();
  }

  get isWatched(): boolean {
    return this.#listeners.size > 0;
  }

  /** @returns how to stop listening. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#file.close();
  }
}
