import type { ArchiveFile } from '../platform/archive-file.ts';
import type { CompressionLevel } from './compression-level.ts';
import type { ExtractedEntry } from './extract/extraction.ts';
import type { ExtractionLimits } from './extract/limits.ts';
import type { SelectedEntry } from './selection/selected-entry.ts';

export const archiveFormatNames = ['zip', 'zipzstd', 'tarzstd', 'gzip', 'raw'] as const;
export type ArchiveFormatName = (typeof archiveFormatNames)[number];

export interface WriteRequest {
  /** Absolute; the entries' paths are relative to it. */
  readonly root: string;
  /** Sorted. */
  readonly entries: readonly SelectedEntry[];
  readonly level: CompressionLevel;
  /** How many pieces are compressed at the same time. */
  readonly concurrency: number;
  /** Told of what could not be archived without being an error. */
  readonly problem: (message: string) => void;
}

export interface ExtractRequest {
  readonly file: ArchiveFile;
  /** Absolute; nothing is written outside it. */
  readonly target: string;
  readonly limits: ExtractionLimits;
  readonly concurrency: number;
}

/**
 * How a set of files becomes one stream of bytes, and back. A format that only goes one way leaves the other out.
 * Stateless; calls may run at the same time.
 */
export interface ArchiveFormat {
  readonly name: ArchiveFormatName;
  /** What a file of this format is called behind its base name. */
  readonly fileExtension: string;
  /**
   * The archive's bytes, made while they are taken: memory is bounded whatever the files' sizes, and a consumer that
   * stops early stops the work. Each block belongs to the consumer, who may give its memory back (`release.ts`). Equal trees give equal bytes. Can be called again for another attempt.
   * @throws ArchiveError (while iterating) where an entry cannot be archived; the signal's reason.
   */
  readonly write?: (request: WriteRequest, signal: AbortSignal) => AsyncIterable<Buffer>;
  /**
   * Unpacks into the target directory over what is there: entries replace existing files, never follow links.
   * @returns what was unpacked, in the archive's order.
   * @throws ArchiveError for a damaged, hostile or too large archive; the signal's reason. What was there stays as it
   * was: everything is unpacked into a folder inside the target first, which needs room for both, and then moved.
   */
  readonly extract?: (request: ExtractRequest, signal: AbortSignal) => Promise<readonly ExtractedEntry[]>;
}
