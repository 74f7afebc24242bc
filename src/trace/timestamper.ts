import * as z from 'zod';
import type { Clock } from '../lib/clock.ts';
import { asBuffer, type ByteLayer, fromBase64, NO_BYTES, toBase64 } from './byte-layer.ts';
import { ByteWriter } from './byte-writer.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const LINE_END = Buffer.from('\n');

/** An unfinished line, header included, is shown in parts when it gets longer than this. */
const LONGEST_PENDING = 8192;

export type LineSource = 'O' | 'E';

export const timestamperStateSchema = z.object({ pending: z.string(), continues: z.boolean() });
export type TimestamperState = z.output<typeof timestamperStateSchema>;

/**
 * Puts a header before each line (spec job-execution.md §14): time of its first byte, stream, and whether it continues
 * the line before (`+`). What it says depends on how its input is split into writes, as a header marks a moment.
 */
export class Timestamper implements ByteLayer {
  readonly #clock: Clock;
  /** `01O`: stream number and source. */
  readonly #stream: string;
  /** A begun line with its header. */
  #pending: Uint8Array = NO_BYTES;
  #continues = false;

  /** `streamNumber`: 0 = manager and executor, 1 = output of scripts. */
  constructor(clock: Clock, streamNumber: number, source: LineSource, state?: TimestamperState) {
    this.#clock = clock;
    this.#stream = `${streamNumber.toString(16).padStart(2, '0')}${source}`;
    if (state === undefined) return;
    this.#pending = fromBase64(state.pending);
    this.#continues = state.continues;
  }

  write(input: Uint8Array): Uint8Array {
    if (input.length === 0) return NO_BYTES;
    const bytes = asBuffer(input);
    const time = formatTime(this.#clock.now());
    const writer = new ByteWriter(bytes.length + (bytes.length >> 1));
    const restFrom = this.#writeLines(writer, bytes, time);
    if (restFrom < bytes.length) this.#writeRest(writer, bytes.subarray(restFrom), time);
    return writer.length === 0 ? NO_BYTES : writer.take();
  }

  flush(): Uint8Array {
    const pending = this.#pending;
    this.#pending = NO_BYTES;
    return pending.length === 0 ? NO_BYTES : Buffer.concat([pending, LINE_END]);
  }

  snapshot(): TimestamperState {
    return { pending: toBase64(this.#pending), continues: this.#continues };
  }

  /** Writes all whole lines. @returns where the rest begins. */
  #writeLines(writer: ByteWriter, bytes: Buffer, time: string): number {
    let start = 0;
    let header: Uint8Array | undefined;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      if (this.#pending.length > 0) {
        writer.copy(this.#pending);
        this.#pending = NO_BYTES;
      } else if (this.#continues) {
        writer.copy(this.#header(time));
      } else {
        header ??= this.#header(time);
        writer.copy(header);
      }
      writer.copy(bytes, start, end + 1);
      start = end + 1;
    }
    return start;
  }

  #writeRest(writer: ByteWriter, rest: Buffer, time: string): void {
    const isShownNow = rest.includes(CARRIAGE_RETURN) || this.#pending.length + rest.length > LONGEST_PENDING;
    const begun = this.#pending.length > 0 ? this.#pending : this.#header(time);
    if (!isShownNow) {
      this.#pending = Buffer.concat([begun, rest]);
      return;
    }
    writer.copy(begun);
    writer.copy(rest);
    writer.copy(LINE_END);
    this.#pending = NO_BYTES;
    this.#continues = true;
  }

  #header(time: string): Uint8Array {
    const flag = this.#continues ? '+' : ' ';
    this.#continues = false;
    return Buffer.from(`${time} ${this.#stream}${flag}`);
  }
}

/** `YYYY-MM-DDTHH:MM:SS.uuuuuuZ` */
function formatTime(milliseconds: number): string {
  const microseconds = Math.floor(milliseconds * 1000);
  const seconds = new Date(Math.floor(microseconds / 1000)).toISOString().slice(0, 20);
  return `${seconds}${String(microseconds % 1_000_000).padStart(6, '0')}Z`;
}
