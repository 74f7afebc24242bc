import { constants, deflateRaw, deflateRawSync, type ZlibOptions } from 'node:zlib';
import type { Window } from './in-order.ts';

/** Files are compressed in pieces of this size, several at a time; each piece stands alone in the stream. */
export const chunkBytes = 1024 * 1024;

/** What packing may hold in memory: a chunk and its packed bytes being made, written and waiting, for each worker. */
export function packingWindow(concurrency: number): Window {
  return { weight: concurrency * 3 * chunkWeight, count: concurrency * 128 };
}

/** Memory a whole chunk takes with its packed bytes. */
export const chunkWeight = 2 * chunkBytes;

/** Below this a trip to the thread pool costs more than the compression. */
const synchronousBytes = 12 * 1024;

/**
 * Compresses one piece of a raw deflate stream. All but the last end on a byte border with a sync flush, so the pieces
 * of one file, put one after the other, are one valid stream. Equal input gives equal bytes.
 */
export function deflateChunk(
  data: Buffer,
  options: { readonly level: number; readonly isLast: boolean },
): Buffer | Promise<Buffer> {
  const settings = settingsFor(data.length, options);
  if (data.length <= synchronousBytes) return deflateRawSync(data, settings);
  return new Promise((resolve, reject) => {
    deflateRaw(data, settings, (error, result) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}

function settingsFor(
  length: number,
  { level, isLast }: { readonly level: number; readonly isLast: boolean },
): ZlibOptions {
  return {
    level,
    finishFlush: isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
    chunkSize: Math.min(256 * 1024, Math.max(1024, length + 64)),
    // Small inputs need no 32 KiB window; setting one up costs more than they do.
    ...(length <= 4096 && isLast ? { windowBits: 12, memLevel: 6 } : {}),
  };
}
