import * as z from 'zod';
import type { OutputStream } from '../../executors/port.ts';
import { asBuffer, fromBase64, NO_BYTES, toBase64 } from '../byte-layer.ts';
import { type BoundaryMark, BoundaryMarkParser } from './boundary-mark.ts';

/** A stream that holds more than this is let go. */
const MOST_HELD_BYTES = 256 * 1024;
/** What a queued mark counts, so that a flood of marks is bounded too. */
const MARK_BYTES = 64;

const streamStateSchema = z.object({
  /** Bytes at the end that may become a mark. */
  begun: z.string(),
  /** In order: bytes as base64, a mark by its sequence number. */
  queue: z.array(z.union([z.string(), z.number().int()])),
  reached: z.number().int(),
  lastMark: z.number().int(),
  isLost: z.boolean(),
});
export const commandOrderStateSchema = z.object({ stdout: streamStateSchema, stderr: streamStateSchema });
export type CommandOrderState = z.output<typeof commandOrderStateSchema>;

/** A mark of both streams in the queue; those of one stream are never queued. */
interface QueuedMark {
  readonly sequence: number;
}

interface StreamState {
  begun: Uint8Array;
  queue: (Uint8Array | QueuedMark)[];
  queuedBytes: number;
  /** Greatest mark this stream has passed or stands at. */
  reached: number;
  /** Greatest mark read, also behind held bytes. */
  lastMark: number;
  /** The other stream waited for it in vain: not waited for again until it shows a mark. */
  isLost: boolean;
}

export type OrderedOutput = (stream: OutputStream, bytes: Uint8Array) => void;

/**
 * Puts the two output streams of a stage in order at command boundaries: what is behind a mark waits until the other
 * stream has come to that mark too. Without an output mark everything passes.
 *
 * It never waits for good: not for a stream that was redirected into the other one (then its marks are seen twice
 * there), not past `MOST_HELD_BYTES`, and no longer than its owner says by `giveUp`.
 */
export class CommandOrder {
  readonly #parser: BoundaryMarkParser | undefined;
  readonly #output: OrderedOutput;
  readonly #streams: Readonly<Record<OutputStream, StreamState>>;

  constructor(outputMark: string, output: OrderedOutput, state?: CommandOrderState) {
    this.#parser = outputMark === '' ? undefined : new BoundaryMarkParser(outputMark);
    this.#output = output;
    this.#streams = { stdout: restoredStream(state?.stdout), stderr: restoredStream(state?.stderr) };
  }

  write(stream: OutputStream, input: Uint8Array): void {
    if (this.#parser === undefined) {
      this.#output(stream, input);
      return;
    }
    this.#parse(this.#parser, stream, input);
    this.#letGoOfTooMuch(stream);
  }

  /** The mark at which a stream stands and waits; undefined when nothing waits. Changes when the wait is another one. */
  get waitsAt(): string | undefined {
    for (const name of ['stdout', 'stderr'] as const) {
      const head = this.#streams[name].queue[0];
      if (head !== undefined && !(head instanceof Uint8Array)) return `${name} ${head.sequence}`;
    }
    return undefined;
  }

  /** Lets both streams go on, and waits for neither before it shows a mark again. */
  giveUp(): void {
    for (const name of ['stdout', 'stderr'] as const) {
      if (this.#streams[name].queue.length > 0) this.#streams[otherOf(name)].isLost = true;
    }
    this.#advance('stdout');
    this.#advance('stderr');
  }

  /** The end of the stage: gives all that is held. */
  flush(): void {
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = this.#streams[name];
      for (const item of stream.queue) if (item instanceof Uint8Array) this.#output(name, item);
      if (stream.begun.length > 0) this.#output(name, stream.begun);
      Object.assign(stream, newStream());
    }
  }

  snapshot(): CommandOrderState {
    return { stdout: savedStream(this.#streams.stdout), stderr: savedStream(this.#streams.stderr) };
  }

  #parse(parser: BoundaryMarkParser, name: OutputStream, input: Uint8Array): void {
    const stream = this.#streams[name];
    const bytes = stream.begun.length === 0 ? asBuffer(input) : Buffer.concat([stream.begun, input]);
    stream.begun = NO_BYTES;
    let textFrom = 0;
    let index = parser.search(bytes, 0);
    while (index < bytes.length) {
      const found = parser.read(bytes, index);
      if (found.kind === 'begun') break;
      if (found.kind === 'mark') {
        this.#take(name, bytes.subarray(textFrom, index));
        this.#takeMark(name, found.mark);
        textFrom = found.end;
      }
      index = parser.search(bytes, found.kind === 'mark' ? found.end : index + 1);
    }
    this.#take(name, bytes.subarray(textFrom, index));
    if (index < bytes.length) stream.begun = Uint8Array.from(bytes.subarray(index));
  }

  #take(name: OutputStream, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const stream = this.#streams[name];
    if (stream.queue.length === 0) {
      this.#output(name, bytes);
      return;
    }
    stream.queue.push(Uint8Array.from(bytes));
    stream.queuedBytes += bytes.length;
  }

  #takeMark(name: OutputStream, mark: BoundaryMark): void {
    const stream = this.#streams[name];
    const other = this.#streams[otherOf(name)];
    stream.isLost = false;
    if (mark.streams === 'only') return;
    if (mark.sequence === stream.lastMark) {
      // The other stream was redirected into this one: its copy of the mark came here.
      other.reached = Math.max(other.reached, mark.sequence);
    } else {
      stream.lastMark = mark.sequence;
      stream.queue.push({ sequence: mark.sequence });
      stream.queuedBytes += MARK_BYTES;
    }
    this.#advance(name);
    this.#advance(otherOf(name));
    this.#advance(name);
  }

  /** Gives what need not wait. */
  #advance(name: OutputStream): void {
    const stream = this.#streams[name];
    const other = this.#streams[otherOf(name)];
    let done = 0;
    for (const item of stream.queue) {
      if (item instanceof Uint8Array) {
        this.#output(name, item);
        stream.queuedBytes -= item.length;
      } else {
        stream.reached = Math.max(stream.reached, item.sequence);
        if (other.reached < item.sequence && !other.isLost) break;
        stream.queuedBytes -= MARK_BYTES;
      }
      done++;
    }
    if (done > 0) stream.queue.splice(0, done);
  }

  #letGoOfTooMuch(name: OutputStream): void {
    if (this.#streams[name].queuedBytes <= MOST_HELD_BYTES) return;
    this.#streams[otherOf(name)].isLost = true;
    this.#advance(name);
  }
}

function otherOf(stream: OutputStream): OutputStream {
  return stream === 'stdout' ? 'stderr' : 'stdout';
}

function newStream(): StreamState {
  return { begun: NO_BYTES, queue: [], queuedBytes: 0, reached: -1, lastMark: -1, isLost: false };
}

function restoredStream(state: CommandOrderState['stdout'] | undefined): StreamState {
  if (state === undefined) return newStream();
  const queue = state.queue.map((item) => (typeof item === 'string' ? fromBase64(item) : { sequence: item }));
  const queuedBytes = queue.reduce((sum, item) => sum + (item instanceof Uint8Array ? item.length : MARK_BYTES), 0);
  return { ...state, begun: fromBase64(state.begun), queue, queuedBytes };
}

function savedStream(stream: StreamState): CommandOrderState['stdout'] {
  const { reached, lastMark, isLost } = stream;
  const queue = stream.queue.map((item) => (item instanceof Uint8Array ? toBase64(item) : item.sequence));
  return { begun: toBase64(stream.begun), queue, reached, lastMark, isLost };
}
