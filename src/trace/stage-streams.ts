import * as z from 'zod';
import type { OutputStream } from '../executors/port.ts';
import { AbortReason } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import type { ByteLayer } from './byte-layer.ts';
import { CommandOrder, commandOrderStateSchema } from './order/command-order.ts';
import { PacedQueue } from './paced-queue.ts';
import type { StageTrace } from './port.ts';
import { createStreamChain, type StreamRecipe, streamChainStateSchema } from './stream-chain.ts';
import type { TraceStore } from './trace-store.ts';

/** How long one stream waits for the other to come to the same mark, which may have been redirected away. */
const LONGEST_WAIT_MS = 2000;

export const stageStreamsStateSchema = z.object({
  order: commandOrderStateSchema,
  stdout: streamChainStateSchema,
  stderr: streamChainStateSchema,
});
export type StageStreamsState = z.output<typeof stageStreamsStateSchema>;

export interface StageStreamsOptions {
  readonly recipe: StreamRecipe;
  readonly outputMark: string;
  readonly store: TraceStore;
  readonly clock: Clock;
  /** Called once, when the stage has given everything. */
  onClosed(): void;
}

/** The output of one stage: paced, put in order, and through the layers of its stream into the store. */
export class StageStreams implements StageTrace {
  readonly #options: StageStreamsOptions;
  readonly #queue: PacedQueue;
  readonly #order: CommandOrder;
  readonly #chains: Readonly<Record<OutputStream, ByteLayer>>;
  readonly #closed = new AbortController();
  #isWatching = false;

  constructor(options: StageStreamsOptions, state?: StageStreamsState) {
    this.#options = options;
    this.#chains = {
      stdout: createStreamChain(options.recipe, 'O', state?.stdout),
      stderr: createStreamChain(options.recipe, 'E', state?.stderr),
    };
    const emit = (stream: OutputStream, bytes: Uint8Array): void => {
      if (!options.store.isDropping) options.store.store(this.#chains[stream].write(bytes));
    };
    this.#order = new CommandOrder(options.outputMark, emit, state?.order);
    this.#queue = new PacedQueue((stream, bytes) => this.#process(stream, bytes));
    this.#watchWait();
  }

  write(stream: OutputStream, bytes: Uint8Array): void | Promise<void> {
    if (this.#closed.signal.aborted || this.#options.store.isDropping) return;
    return this.#queue.push(stream, bytes);
  }

  /** Works off everything that was written. */
  drain(): void {
    this.#queue.drain();
  }

  close(): void {
    if (this.#closed.signal.aborted) return;
    this.drain();
    this.#order.flush();
    const { store } = this.#options;
    for (const chain of Object.values(this.#chains)) if (!store.isDropping) store.store(chain.flush());
    this.#closed.abort(new AbortReason('finished'));
    this.#options.onClosed();
  }

  /** Covers everything that was written. */
  snapshot() {
    this.drain();
    return {
      order: this.#order.snapshot(),
      stdout: this.#chains.stdout.snapshot(),
      stderr: this.#chains.stderr.snapshot(),
    };
  }

  #process(stream: OutputStream, bytes: Uint8Array): void {
    if (this.#options.store.isDropping) return;
    this.#order.write(stream, bytes);
    this.#watchWait();
  }

  #watchWait(): void {
    const waitsAt = this.#order.waitsAt;
    if (waitsAt === undefined || this.#isWatching) return;
    this.#isWatching = true;
    this.#options.clock.sleep(LONGEST_WAIT_MS, this.#closed.signal).then(
      () => {
        this.#isWatching = false;
        if (this.#order.waitsAt === waitsAt) this.#order.giveUp();
        this.#watchWait();
      },
      () => {
        // The stage ended first.
      },
    );
  }
}
