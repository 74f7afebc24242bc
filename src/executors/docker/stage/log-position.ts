import { isUtf8 } from 'node:buffer';

/** Bytes of a line after which the daemon starts a new entry of its log. */
const entryLimit = 16 * 1024;

/** What came out of one piece of a container's output. */
export interface CountedOutput {
  /** To be passed on now: whole characters. */
  readonly bytes: Buffer;
  /** Bytes that the daemon's log has of the stream once these are in it. */
  readonly logBytes: number;
}

/**
 * Says where in the daemon's log a container's raw output stands: output is read from an attached stream, which cannot
 * be attached to again, and is read on from the log when the connection or the manager was lost. The log is kept as
 * text: a byte that is no UTF-8 is three bytes there (U+FFFD), and what a long line's entries cut in two is none.
 *
 * A character whose rest is still to come is held back, so that positions lie between characters.
 */
export class LogPosition {
  #logBytes: number;
  /** Raw bytes of the entry that is being filled. */
  #entryBytes = 0;
  #held: Buffer = Buffer.alloc(0);

  constructor(logBytes: number) {
    this.#logBytes = logBytes;
  }

  /** Takes the next raw bytes of the stream. */
  take(piece: Uint8Array): CountedOutput {
    const bytes = this.#held.length === 0 ? Buffer.from(piece) : Buffer.concat([this.#held, piece]);
    let position = 0;
    while (position < bytes.length) {
      const end = this.#entryEnd(bytes, position);
      const isComplete = end.isComplete;
      const part = bytes.subarray(position, end.at);
      const open = isComplete ? 0 : openCharacterBytes(part);
      const counted = part.subarray(0, part.length - open);
      this.#logBytes += textBytes(counted);
      this.#entryBytes = isComplete ? 0 : this.#entryBytes + counted.length;
      position += counted.length;
      if (open > 0) break;
    }
    this.#held = Buffer.from(bytes.subarray(position));
    return { bytes: bytes.subarray(0, position), logBytes: this.#logBytes };
  }

  /** What was held back, once the stream has ended. */
  end(): CountedOutput {
    const bytes = this.#held;
    this.#held = Buffer.alloc(0);
    this.#logBytes += textBytes(bytes);
    this.#entryBytes = 0;
    return { bytes, logBytes: this.#logBytes };
  }

  /** Where the entry that holds `position` ends in these bytes. */
  #entryEnd(bytes: Buffer, position: number): { readonly at: number; readonly isComplete: boolean } {
    const full = position + entryLimit - this.#entryBytes;
    const newline = bytes.subarray(position, Math.min(full, bytes.length)).indexOf(0x0a);
    if (newline >= 0) return { at: position + newline + 1, isComplete: true };
    return full <= bytes.length ? { at: full, isComplete: true } : { at: bytes.length, isComplete: false };
  }
}

/** Bytes at the end that begin a character and do not finish it. */
function openCharacterBytes(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < characterLength(byte) && couldBegin(bytes.subarray(bytes.length - back)) ? back : 0;
  }
  return 0;
}

function characterLength(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 1;
}

/** Whether these bytes, one short of a character or more, can still become one. */
function couldBegin(bytes: Buffer): boolean {
  const second = bytes[1];
  return second === undefined || isSecond(bytes[0] ?? 0, second);
}

function isSecond(lead: number, second: number): boolean {
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  return second >= lowest && second <= highest;
}

/** Length of the bytes once every byte that is no part of a character has become U+FFFD. */
function textBytes(bytes: Buffer): number {
  if (isUtf8(bytes)) return bytes.length;
  let length = 0;
  for (let position = 0; position < bytes.length; ) {
    const size = characterAt(bytes, position);
    length += size === 0 ? 3 : size;
    position += Math.max(size, 1);
  }
  return length;
}

/** Bytes of the valid character there; 0 = none. */
function characterAt(bytes: Buffer, position: number): number {
  const lead = bytes[position] ?? 0;
  if (lead < 0x80) return 1;
  const size = characterLength(lead);
  if (size === 1 || position + size > bytes.length || !isSecond(lead, bytes[position + 1] ?? 0)) return 0;
  for (let next = position + 2; next < position + size; next += 1) {
    if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  return size;
}
