import { randomBytes } from 'node:crypto';

/** Random text of `byteCount` bytes, two lower-case hex digits each. */
export function randomHex(byteCount: number): string {
  return randomBytes(byteCount).toString('hex');
}
