import type { JobJournal } from '../journal/job-journal.ts';
import type { JournalRecord, StageEnd } from '../journal/records.ts';
import type { JsonValue } from '../lib/json.ts';
import type { JobTrace } from '../trace/port.ts';

/** Output taken from a stage between two checkpoints, so that what an executor keeps for a restart stays small. */
const checkpointEveryBytes = 16 * 1024 * 1024;

/**
 * Writes the journal of one build and keeps its checkpoints: moments at which the trace's file and the position in
 * the running stage's output belong together.
 */
export class BuildRecorder {
  readonly #journal: JobJournal;
  readonly #trace: JobTrace;
  #run: number | null = null;
  #cursor: JsonValue = null;
  #durableCursor: JsonValue | undefined;
  #bytesSinceCheckpoint = 0;
  #lastCheckpoint = '';

  /** `position`: where an earlier manager left the running stage's output. */
  constructor(journal: JobJournal, trace: JobTrace, position?: { readonly run: number; readonly value: JsonValue }) {
    this.#journal = journal;
    this.#trace = trace;
    if (position !== undefined) this.enterStage(position.run, position.value);
  }

  /** @throws StorageError */
  append(record: JournalRecord): void {
    this.#journal.append(record);
  }

  /** The executor is ready. @throws StorageError */
  prepared(): void {
    this.append({ type: 'prepared', trace: this.#snapshot() });
  }

  /** The stage whose output the trace takes now; `cursor` is where it is taken up. */
  enterStage(run: number, cursor: JsonValue | undefined): void {
    this.#run = run;
    this.#cursor = cursor ?? null;
    this.#durableCursor = cursor ?? undefined;
    this.#bytesSinceCheckpoint = 0;
  }

  /** Remembers that the output up to `cursor` is in the trace. */
  took(sizeBytes: number, cursor: JsonValue): void {
    this.#cursor = cursor;
    this.#bytesSinceCheckpoint += sizeBytes;
    if (this.#bytesSinceCheckpoint >= checkpointEveryBytes) this.checkpoint();
  }

  /** What a later manager would start to read at. */
  durableCursor(): JsonValue | undefined {
    return this.#durableCursor;
  }

  /** Makes the present position durable. Cheap when nothing changed. @throws StorageError */
  checkpoint(): void {
    const trace = this.#snapshot();
    const key = JSON.stringify([trace, this.#run, this.#cursor]);
    if (key === this.#lastCheckpoint) return;
    this.append({ type: 'checkpoint', trace, run: this.#run, cursor: this.#cursor });
    this.#lastCheckpoint = key;
    this.#durableCursor = this.#cursor ?? undefined;
    this.#bytesSinceCheckpoint = 0;
  }

  /** @throws StorageError */
  endStage(run: number, end: StageEnd): void {
    this.#run = null;
    this.#cursor = null;
    this.append({ type: 'stageEnded', run, end, trace: this.#snapshot() });
  }

  /** The build is over and the trace complete. @throws StorageError */
  finish(result: Extract<JournalRecord, { readonly type: 'finished' }>['result']): void {
    this.append({ type: 'finished', result, trace: this.#snapshot() });
  }

  #snapshot(): JsonValue {
    return this.#trace.snapshot() as unknown as JsonValue;
  }
}
