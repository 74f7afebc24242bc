import { abortReasonOf } from '../../lib/abort.ts';
import type { JobTrace, JobUpdate, PatchOutcome, TraceDestination, UpdateOutcome } from '../port.ts';

/** The most that one request carries. */
export const CHUNK_BYTES = 1024 * 1024;

export type ChunkOutcome =
  | PatchOutcome['state']
  /** The server has everything that is stored. */
  | 'nothing'
  /** The bytes cannot be had. */
  | 'unreadable';

export interface TraceUploadOptions {
  readonly trace: Pick<JobTrace, 'storedBytes' | 'checksum' | 'read'>;
  readonly destination: TraceDestination;
  /** What the server is known to hold; a wrong value is corrected by its answer. */
  readonly sentBytes: number;
  /** Makes what is stored durable, before it is sent. */
  readonly beforeSend: () => void;
  readonly onAnswer: (answer: PatchOutcome | UpdateOutcome) => void;
}

/** Sends a job's trace and state, one request at a time; knows how much the server has. */
export class TraceUpload {
  readonly #options: TraceUploadOptions;
  #sentBytes: number;

  constructor(options: TraceUploadOptions) {
    this.#options = options;
    this.#sentBytes = options.sentBytes;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  get waitingBytes(): number {
    return this.#options.trace.storedBytes - this.#sentBytes;
  }

  /** The next chunk that is sent is the first one. */
  startOver(): void {
    this.#sentBytes = 0;
  }

  /** @throws the signal's reason; what `beforeSend` throws. */
  async sendChunk(signal: AbortSignal): Promise<ChunkOutcome> {
    if (this.waitingBytes <= 0) return 'nothing';
    this.#options.beforeSend();
    const start = this.#sentBytes;
    const bytes = await this.#read(start, Math.min(this.waitingBytes, CHUNK_BYTES));
    if (bytes === undefined) return 'unreadable';
    const outcome = await answered(this.#options.destination.patch(bytes, start, signal), signal);
    if (outcome === undefined) return 'failed';
    if (outcome.state === 'ok') this.#sentBytes = start + bytes.length;
    if (outcome.state === 'range_mismatch') this.#sentBytes = outcome.serverSize;
    this.#options.onAnswer(outcome);
    return outcome.state;
  }

  /** Sends a state, with size and checksum of all that is stored. @throws the signal's reason. */
  async sendState(update: Omit<JobUpdate, 'output'>, signal: AbortSignal): Promise<UpdateOutcome['state']> {
    const { trace, destination, onAnswer } = this.#options;
    const output = { checksum: trace.checksum, sizeBytes: trace.storedBytes };
    const outcome = await answered(destination.update({ ...update, output }, signal), signal);
    if (outcome === undefined) return 'failed';
    onAnswer(outcome);
    return outcome.state;
  }

  async #read(offset: number, length: number): Promise<Uint8Array | undefined> {
    try {
      return await this.#options.trace.read(offset, length);
    } catch {
      return undefined;
    }
  }
}

/** A destination that fails in an unforeseen way is as good as a server that did not answer. */
async function answered<T>(request: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  try {
    return await request;
  } catch {
    if (signal.aborted) throw abortReasonOf(signal);
    return undefined;
  }
}
