import { constants, deflateRaw, deflateRawSync, type ZlibOptions } from 'node:zlib';
import type { Window } from './in-order.ts';

/** Files up to this size are packed in one piece. */
export const wholeFileBytes = 1024 * 1024;

/** Larger files are packed in pieces of this size, several at a time. */
export const chunkBytes = 256 * 1024;

/** What a piece may refer back to. */
export const dictionaryBytes = 32 * 1024;

/** Below this a trip to the thread pool costs more than the compression. */
const synchronousBytes = 12 * 1024;

/** What packing may hold in memory, for each worker: pieces being packed, waiting to be, and waiting to be written. */
export function packingWindow(concurrency: number): Window {
  return { weight: concurrency * 2 * wholeFileBytes, count: concurrency * 128 };
}

export interface ChunkOptions {
  readonly level: number;
  readonly isLast: boolean;
  /** What came right before this piece. */
  readonly dictionary?: Buffer | undefined;
}

/**
 * Compresses one piece of a raw deflate stream. All but the last end on a byte border with a sync flush, so the pieces
 * of one file, put one after the other, are one valid stream. Equal input gives equal bytes.
 */
export function deflateChunk(data: Buffer, options: ChunkOptions): Buffer | Promise<Buffer> {
  const settings = settingsFor(data.length, options);
  if (data.length <= synchronousBytes) return deflateRawSync(data, settings);
  return new Promise((resolve, reject) => {
    deflateRaw(data, settings, (error, result) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}

function settingsFor(length: number, { level, isLast, dictionary }: ChunkOptions): ZlibOptions {
  return {
    level,
    finishFlush: isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
    // Room for the worst case: the result is not put together from parts.
    chunkSize: length + (length >> 9) + 256,
    ...(dictionary === undefined || dictionary.length === 0 ? {} : { dictionary }),
    // Small inputs need no 32 KiB window; setting one up costs more than they do.
    ...(length <= 4096 && isLast && dictionary === undefined ? { windowBits: 12, memLevel: 6 } : {}),
  };
}
