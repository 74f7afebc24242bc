import { isUtf8 } from 'node:buffer';
import * as z from 'zod';
import { asBuffer, type ByteLayer, fromBase64, NO_BYTES, toBase64 } from './byte-layer.ts';
import { ByteWriter } from './byte-writer.ts';

/** U+FFFD */
const REPLACEMENT: Uint8Array = Buffer.from('\u{fffd}');

/** Answers of `sequenceAt` beside a length. */
const INVALID = 0;
const INCOMPLETE = -1;

export const utf8SanitizerStateSchema = z.object({ held: z.string() });
export type Utf8SanitizerState = z.output<typeof utf8SanitizerStateSchema>;

/**
 * Makes output valid UTF-8: each byte that belongs to no character becomes U+FFFD. A character split over writes is held
 * back (three bytes at most) until it is whole.
 */
export class Utf8Sanitizer implements ByteLayer {
  #held: Uint8Array = NO_BYTES;

  constructor(state?: Utf8SanitizerState) {
    if (state !== undefined) this.#held = fromBase64(state.held);
  }

  write(input: Uint8Array): Uint8Array {
    const bytes = this.#held.length === 0 ? asBuffer(input) : Buffer.concat([this.#held, input]);
    const end = startOfIncomplete(bytes);
    this.#held = end === bytes.length ? NO_BYTES : Uint8Array.from(bytes.subarray(end));
    const whole = bytes.subarray(0, end);
    return isUtf8(whole) ? whole : replaceInvalid(whole);
  }

  flush(): Uint8Array {
    const held = this.#held;
    this.#held = NO_BYTES;
    return held.length === 0 ? NO_BYTES : Buffer.concat(Array.from(held, () => REPLACEMENT));
  }

  snapshot(): Utf8SanitizerState {
    return { held: toBase64(this.#held) };
  }
}

/** Where a character begins that goes on after the end of `bytes`; the length if there is none. */
function startOfIncomplete(bytes: Uint8Array): number {
  for (let index = Math.max(bytes.length - 3, 0); index < bytes.length; index++) {
    if (sequenceAt(bytes, index) === INCOMPLETE) return index;
  }
  return bytes.length;
}

function replaceInvalid(bytes: Uint8Array): Uint8Array {
  const writer = new ByteWriter(bytes.length * 2);
  let validFrom = 0;
  let index = 0;
  while (index < bytes.length) {
    const length = sequenceAt(bytes, index);
    if (length > 0) {
      index += length;
      continue;
    }
    writer.copy(bytes, validFrom, index);
    writer.copy(REPLACEMENT);
    index++;
    validFrom = index;
  }
  writer.copy(bytes, validFrom);
  return writer.take();
}

/** Length of the character at `index`, or that it is not one, or not yet. */
function sequenceAt(bytes: Uint8Array, index: number): number {
  const lead = bytes[index] as number;
  if (lead < 0x80) return 1;
  const length = lengthOf(lead);
  if (length === INVALID) return INVALID;
  for (let offset = 1; offset < length; offset++) {
    const byte = bytes[index + offset];
    if (byte === undefined) return INCOMPLETE;
    const isFine = offset === 1 ? mayFollow(lead, byte) : (byte & 0xc0) === 0x80;
    if (!isFine) return INVALID;
  }
  return length;
}

function lengthOf(lead: number): number {
  if (lead < 0xc2 || lead > 0xf4) return INVALID;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

/** The second byte: no overlong forms, no surrogates, nothing past U+10FFFF. */
function mayFollow(lead: number, byte: number): boolean {
  if (lead === 0xe0) return byte >= 0xa0 && byte <= 0xbf;
  if (lead === 0xed) return byte >= 0x80 && byte <= 0x9f;
  if (lead === 0xf0) return byte >= 0x90 && byte <= 0xbf;
  if (lead === 0xf4) return byte >= 0x80 && byte <= 0x8f;
  return (byte & 0xc0) === 0x80;
}
