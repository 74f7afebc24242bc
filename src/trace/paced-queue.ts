import type { OutputStream } from '../executors/port.ts';

/** What is worked off in one turn of the event loop, so that other jobs get theirs. About a millisecond of masking. */
const BYTES_PER_TURN = 128 * 1024;

type Handle = (stream: OutputStream, bytes: Uint8Array) => void;

interface Piece {
  readonly stream: OutputStream;
  readonly bytes: Uint8Array;
}

/** Works off output in the order it came, a bounded amount in each turn of the event loop. */
export class PacedQueue {
  readonly #handle: Handle;
  readonly #waiting: Piece[] = [];
  #bytesThisTurn = 0;
  #isTurnAwaited = false;
  #drained: PromiseWithResolvers<void> | undefined;

  constructor(handle: Handle) {
    this.#handle = handle;
  }

  /** A returned promise asks to wait; `bytes` must stay as they are until it settles. */
  push(stream: OutputStream, bytes: Uint8Array): void | Promise<void> {
    this.#waiting.push({ stream, bytes });
    this.#work();
    if (this.#waiting.length === 0 && this.#bytesThisTurn < BYTES_PER_TURN) return;
    this.#drained ??= Promise.withResolvers<void>();
    return this.#drained.promise;
  }

  /** Works off everything now. */
  drain(): void {
    for (let piece = this.#waiting.shift(); piece !== undefined; piece = this.#waiting.shift()) {
      this.#handle(piece.stream, piece.bytes);
    }
  }

  #work(): void {
    while (this.#waiting.length > 0 && this.#bytesThisTurn < BYTES_PER_TURN) {
      const { stream, bytes } = this.#waiting.shift() as Piece;
      const now = bytes.subarray(0, BYTES_PER_TURN - this.#bytesThisTurn);
      if (now.length < bytes.length) this.#waiting.unshift({ stream, bytes: bytes.subarray(now.length) });
      this.#bytesThisTurn += now.length;
      this.#handle(stream, now);
    }
    if (this.#isTurnAwaited) return;
    this.#isTurnAwaited = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#isTurnAwaited = false;
    this.#bytesThisTurn = 0;
    if (this.#waiting.length > 0) this.#work();
    if (this.#waiting.length > 0) return;
    this.#drained?.resolve();
    this.#drained = undefined;
  }
}
