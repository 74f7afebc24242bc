import { AbortReason } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { errorMessage } from '../lib/errors.ts';
import { WakeableSleep } from '../lib/wakeable-sleep.ts';
import { type Logger, silentLogger } from '../observability/logger.ts';
import type { JobTrace, PatchOutcome, TraceDestination, UpdateOutcome } from './port.ts';
import { type FinalResult, reportEnd } from './sender/final-report.ts';
import { CHUNK_BYTES, type ChunkOutcome, TraceUpload } from './sender/trace-upload.ts';
import { UpdatePace } from './sender/update-pace.ts';

/** First wait when the server may not know that the job runs; doubled until it answers. */
const FIRST_SIGN_MS = 250;

/** More than a job prints under the default output limit. */
const FLOOD_BYTES = 8 * CHUNK_BYTES;

export interface TraceSenderOptions {
  readonly trace: Pick<JobTrace, 'storedBytes' | 'checksum' | 'read'>;
  readonly destination: TraceDestination;
  readonly clock: Clock;
  /** Between two updates, until the server names another one; 3000 if absent. */
  readonly initialIntervalMs?: number;
  /** FF_USE_DYNAMIC_TRACE_FORCE_SEND_INTERVAL */
  readonly hasDynamicForceSendInterval?: boolean;
  /** Longest time in which the server hears nothing; 30000 if absent. */
  readonly shortestForceSendMs?: number;
  /** What the server holds already; 0 when unknown (it corrects that). */
  readonly sentBytes?: number;
  readonly logger?: Logger;
  /**
   * Called before bytes are sent: makes the trace durable. Only bytes that are stored when it returns are sent. What it
   * throws only puts sending off, in the final phase not even that.
   */
  beforeSend(): void;
  /** The server asks to cancel; called at most once. */
  onCancel(): void;
  /** The server does not want the job any more; called at most once, and `onCancel` never after it. */
  onAbort(): void;
}

/**
 * Keeps the server informed about a running job: its trace as it grows, a sign of life when it does not, and at last the
 * job's end (spec protocol.md §5.3 to §5.6). One request at a time.
 */
export class TraceSender {
  readonly #options: TraceSenderOptions;
  readonly #logger: Logger;
  readonly #upload: TraceUpload;
  readonly #pace: UpdatePace;
  /** Ends the loop, not a request under way. */
  readonly #stop = new AbortController();
  /** Ends requests too. */
  readonly #discarded = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #finish: Promise<boolean> | undefined;
  #lastSuccessMs = Number.NEGATIVE_INFINITY;
  /** Longest wait before the next update. */
  #patienceMs = Number.POSITIVE_INFINITY;
  #isCancelTold = false;
  #isFinal = false;
  /** Whether it took the last update. */
  #isServerWell = true;
  readonly #sleep: WakeableSleep;

  constructor(options: TraceSenderOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#pace = new UpdatePace(options);
    this.#sleep = new WakeableSleep(options.clock);
    this.#upload = new TraceUpload({
      trace: options.trace,
      destination: options.destination,
      sentBytes: options.sentBytes ?? 0,
      beforeSend: () => this.#beforeSend(),
      onAnswer: (answer) => this.#onAnswer(answer),
    });
  }

  /** Bytes that the server has taken. */
  get sentBytes(): number {
    return this.#upload.sentBytes;
  }

  /** Takes the interval named by an answer to a request of somebody else (the acknowledgement). */
  takeInterval(intervalMs: number | undefined): void {
    this.#pace.take(intervalMs);
  }

  /** The server may not know yet that the job runs: it hears of it soon, until it answers. For use before `start`. */
  speakSoon(): void {
    this.#patienceMs = FIRST_SIGN_MS;
  }

  /** The trace has grown. A flood is not kept for the next interval: its requests have to be made anyway. */
  outputCame(): void {
    if (this.#isServerWell && this.#upload.waitingBytes >= FLOOD_BYTES) this.#sleep.wake();
  }

  /** Starts to send, first after one interval. Ends by `signal`, `finish` or `discard`. Call it once. */
  start(signal: AbortSignal): void {
    this.#loop = this.#run(AbortSignal.any([signal, this.#stop.signal])).catch((error: unknown) => {
      if (!this.#stop.signal.aborted && !signal.aborted) {
        this.#logger.error('Sending a trace stopped unexpectedly', { error: errorMessage(error) });
      }
    });
  }

  /**
   * Sends the rest of the trace and the end of the job; the trace must be complete. Waits for a request under way, not
   * for the next update. Only the first call counts.
   * @returns whether the server knows the end; false = all tries failed, or the trace was discarded.
   * @throws the reason of `signal` when it is aborted.
   */
  finish(result: FinalResult, signal: AbortSignal = new AbortController().signal): Promise<boolean> {
    this.#finish ??= this.#reportEnd(result, AbortSignal.any([signal, this.#discarded.signal]));
    return this.#finish;
  }

  /** Ends everything without telling the server; also a request under way. Idempotent. */
  discard(): void {
    this.#stop.abort(new AbortReason('finished'));
    this.#discarded.abort(new AbortReason('finished'));
  }

  async #reportEnd(result: FinalResult, signal: AbortSignal): Promise<boolean> {
    this.#stop.abort(new AbortReason('finished'));
    await this.#loop;
    this.#isFinal = true;
    if (this.#discarded.signal.aborted) return false;
    try {
      return await reportEnd({ upload: this.#upload, pace: this.#pace, clock: this.#options.clock }, result, signal);
    } catch (error) {
      if (this.#discarded.signal.aborted) return false;
      throw error;
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#sleep.sleep(Math.min(this.#pace.intervalMs, this.#patienceMs), signal);
      const outcome = await this.#update(signal);
      this.#isServerWell = outcome === 'ok' || outcome === 'nothing';
      if (outcome === 'aborted') {
        this.#isCancelTold = true;
        this.#options.onAbort();
        return;
      }
      this.#patienceMs = this.#lastSuccessMs > 0 ? Number.POSITIVE_INFINITY : this.#patienceMs * 2;
    }
  }

  /** One update: what is waiting, or a sign of life. */
  async #update(stop: AbortSignal): Promise<ChunkOutcome> {
    const outcome = await this.#sendWaiting(stop);
    const isDue = this.#options.clock.now() - this.#lastSuccessMs > this.#pace.forceSendMs;
    if (!(outcome === 'ok' || outcome === 'nothing') || !isDue || stop.aborted) return outcome;
    const state = await this.#upload.sendState({ state: 'running' }, this.#discarded.signal);
    if (state === 'ok') this.#lastSuccessMs = this.#options.clock.now();
    return state === 'aborted' ? 'aborted' : 'ok';
  }

  /** Sends what waits now, and goes on as long as whole chunks come in meanwhile. */
  async #sendWaiting(stop: AbortSignal): Promise<ChunkOutcome> {
    const { trace } = this.#options;
    const target = trace.storedBytes;
    for (;;) {
      const outcome = await this.#sendChunk();
      if (outcome !== 'ok') return outcome;
      this.#lastSuccessMs = this.#options.clock.now();
      const hasMore = this.sentBytes < target || this.#upload.waitingBytes >= CHUNK_BYTES;
      if (!hasMore || stop.aborted) return outcome;
    }
  }

  async #sendChunk(): Promise<ChunkOutcome> {
    try {
      return await this.#upload.sendChunk(this.#discarded.signal);
    } catch (error) {
      if (this.#discarded.signal.aborted) throw error;
      this.#logger.error('Cannot make a trace durable before sending it', { error: errorMessage(error) });
      return 'failed';
    }
  }

  #beforeSend(): void {
    try {
      this.#options.beforeSend();
    } catch (error) {
      if (!this.#isFinal) throw error;
    }
  }

  #onAnswer(answer: PatchOutcome | UpdateOutcome): void {
    this.#pace.take(answer.updateIntervalMs);
    if (!answer.cancelRequested || answer.state === 'aborted' || this.#isCancelTold || this.#isFinal) return;
    this.#isCancelTold = true;
    this.#options.onCancel();
  }
}
