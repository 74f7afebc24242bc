import type { JsonValue } from '../lib/json.ts';

/**
 * One step that output bytes pass. It may hold bytes back until it can decide about them; what it says must not depend
 * on how its input is split (the timestamper, which marks moments, is the exception).
 */
export interface ByteLayer {
  /** Takes bytes, gives what is decided. The answer may be a view of the input. */
  write(bytes: Uint8Array): Uint8Array;
  /** Gives what is held back; the layer is as new afterwards. */
  flush(): Uint8Array;
  /** Plain data from which an equal layer continues. */
  snapshot(): JsonValue;
}

export const NO_BYTES: Uint8Array = new Uint8Array(0);

/** A Buffer over the same memory, for its fast searches. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function toBase64(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('base64');
}

export function fromBase64(text: string): Buffer {
  return Buffer.from(text, 'base64');
}
