/** Smaller buffers may share memory with others, and are not worth it. */
const smallestBytes = 96 * 1024;

/**
 * Gives a buffer's memory back at once; it is empty afterwards. The garbage collector sees only the small object and
 * lets hundreds of megabytes pile up behind it. Only for buffers whose memory nobody else uses.
 */
export function releaseBuffer(buffer: Buffer): void {
  const memory = buffer.buffer;
  if (memory.byteLength < smallestBytes || memory.byteLength <= Buffer.poolSize) return;
  if (memory instanceof ArrayBuffer) memory.transfer(0);
}
