import type { OutputStream } from '../executors/port.ts';
import type { FailureReason } from '../gitlab/failure-reason.ts';
import type { JsonValue } from '../lib/json.ts';

/** The log of one job: what the user sees. Bytes pass masking, timestamps and limit, then a file on disk. */
export interface JobTrace {
  /** Lines of the manager and the executor (stream 00). */
  readonly log: TraceLog;
  /** Writes the section marker (if the server wants them) and the bold title. */
  startSection(id: string, title: string): void;
  endSection(id: string): void;
  /** Opens the streams for one stage's output (stream 01). One at a time; close it before the next. */
  openStage(): StageTrace;
  /**
   * Plain data from which an equal trace continues, once the bytes on disk are cut to `storedBytes`. Brings all that
   * was given so far as far as it can go, and into the file.
   * Taken often: small and cheap.
   */
  snapshot(): TraceSnapshot;
  /**
   * Of a restored trace: the next manager writes of a replay would be those after the first `count`; the skipped ones
   * stand in the file already. Without effect on a new trace.
   */
  skipReplayedWrites(count: number): void;
  /**
   * Bytes in the file. Sent may be those that a durable snapshot covers: take one, make it durable, and send up to the
   * value this has then.
   */
  readonly storedBytes: number;
  /** `crc32:%08x` over all stored bytes. */
  readonly checksum: string;
  /** Reads stored bytes; for the sender. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Flushes what is held back (masking, line buffers). Nothing is written afterwards. Idempotent. */
  end(): void;
  /** Closes the file. Idempotent. */
  close(): Promise<void>;
}

/** Line forms of spec job-execution.md §14. */
export interface TraceLog {
  print(text: string): void;
  info(text: string): void;
  warning(text: string): void;
  error(text: string): void;
  /** Bytes as they are, still masked; for the messages of spec protocol.md §4.6. */
  raw(text: string): void;
}

export interface StageTrace {
  /**
   * Takes output of the stage. A returned promise asks the caller to wait before giving more, and to leave `bytes` as
   * they are until then. Every snapshot taken after the call covers them, whether or not the promise has settled: who
   * keeps a position beside the snapshot moves it on at once, without waiting.
   * Boundary marks (`ScriptOptions.outputMark`) are stripped and used to order the two streams.
   */
  write(stream: OutputStream, bytes: Uint8Array): void | Promise<void>;
  /** Flushes both streams. Idempotent. */
  close(): void;
}

export interface TraceSnapshot {
  /** Size of the file at this point: later bytes are cut off on restore. */
  readonly storedBytes: number;
  /** How many manager writes (log lines, section marks) it holds; a replay skips as many. */
  readonly managerWrites: number;
  /** State of the layers; `trace` alone reads it. */
  readonly layers: JsonValue;
}

/** Where a trace goes: implemented over the coordinator's API. Neither method throws for an answer of the server. */
export interface TraceDestination {
  /** `PATCH jobs/:id/trace` (spec protocol.md §2.7). */
  patch(bytes: Uint8Array, startOffset: number, signal: AbortSignal): Promise<PatchOutcome>;
  /** From now on every piece of trace says that it may show secrets (CI_DEBUG_TRACE, CI_DEBUG_SERVICES). */
  markDebugTrace?(): void;
  /** `PUT jobs/:id` (spec protocol.md §2.6). */
  update(update: JobUpdate, signal: AbortSignal): Promise<UpdateOutcome>;
}

export interface JobUpdate {
  readonly state: 'running' | 'success' | 'failed';
  readonly failureReason?: FailureReason;
  readonly exitCode?: number;
  /** Absent in the acknowledgement. */
  readonly output?: { readonly checksum: string; readonly sizeBytes: number };
}

interface OutcomeSignals {
  /** The server asks to cancel gracefully (`Job-Status: canceling`). */
  readonly cancelRequested: boolean;
  /** New interval between updates, where the server named one. */
  readonly updateIntervalMs: number | undefined;
}

export type PatchOutcome = OutcomeSignals &
  (
    | { readonly state: 'ok' | 'aborted' | 'not_found' | 'failed' }
    /** The server holds `serverSize` bytes. */
    | { readonly state: 'range_mismatch'; readonly serverSize: number }
  );

export type UpdateOutcome = OutcomeSignals & {
  readonly state: 'ok' | 'accepted_not_completed' | 'trace_invalid' | 'aborted' | 'failed';
};
