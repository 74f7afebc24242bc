import type { CompressionLevel } from '../compression-level.ts';
import type { Compression } from '../workers/tasks.ts';

/** Deflate levels by name; 0 is Store (spec cache-artifacts.md §3.1). The default packs about as tight as the Go runner’s 5. */
const deflateLevels: Readonly<Record<CompressionLevel, number>> = {
  fastest: 0,
  fast: 1,
  default: 3,
  slow: 7,
  slowest: 9,
};

/** zstd levels by name. The default packs tighter than deflate's, in a fifth of the time. */
export const zstdLevels: Readonly<Record<CompressionLevel, number>> = {
  fastest: -3,
  fast: 1,
  default: 1,
  slow: 7,
  slowest: 12,
};

export function zipCompression(codec: Compression['codec'], level: CompressionLevel): Compression {
  return { codec, level: (codec === 'zstd' ? zstdLevels : deflateLevels)[level] };
}
