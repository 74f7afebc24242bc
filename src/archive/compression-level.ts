import type { Logger } from '../observability/logger.ts';

export const compressionLevels = ['fastest', 'fast', 'default', 'slow', 'slowest'] as const;
export type CompressionLevel = (typeof compressionLevels)[number];

/** Reads a level's name; an unknown one is a warning and the default (spec cache-artifacts.md §3.1). */
export function parseCompressionLevel(name: string, log: Logger): CompressionLevel {
  const level = compressionLevels.find((candidate) => candidate === name);
  if (level !== undefined) return level;
  if (name !== '') log.warn(`compression level ${JSON.stringify(name)} is invalid, falling back to default`);
  return 'default';
}
