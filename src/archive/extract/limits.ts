/** What an archive may unpack to. Guards against archives made to fill a disk or the memory. */
export interface ExtractionLimits {
  readonly maxEntries: number;
  /** Sum of all files. */
  readonly maxTotalBytes: number;
}

/** Far above real caches and artifacts. */
export const defaultExtractionLimits: ExtractionLimits = {
  maxEntries: 5_000_000,
  maxTotalBytes: 1024 ** 4,
};
