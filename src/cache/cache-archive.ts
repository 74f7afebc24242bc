import { dirname } from 'node:path';
import type { CompressionLevel } from '../archive/compression-level.ts';
import { loadFormat, unsupportedFormat } from '../archive/format.ts';
import type { SelectedEntry } from '../archive/selection/selected-entry.ts';
import { releaseBuffer } from '../archive/stream/release.ts';
import { type UnpackRequest, unpackArchive } from '../archive/unpack.ts';
import { createStagedFile, inspectFile, makeParentDirectory } from '../platform/staged-file.ts';
import { extractionDigest, isRecordedContent, recordContent, selectionDigest } from './cache-manifest.ts';

export interface CacheArchiveRequest {
  /** Final name of the archive. */
  readonly path: string;
  readonly root: string;
  readonly entries: readonly SelectedEntry[];
  /** Name of the format; the file's name does not change with it. */
  readonly format: string;
  readonly level: CompressionLevel;
  readonly concurrency: number;
  readonly problem: (message: string) => void;
}

/**
 * Whether the archive there is already holds the selection: same paths, kinds, sizes, modes and times, and nothing
 * newer than the archive itself.
 */
export async function isCacheUpToDate(path: string, entries: readonly SelectedEntry[]): Promise<boolean> {
  const archive = inspectFile(path);
  if (archive === undefined) return false;
  if (entries.some(({ facts }) => facts.modifiedMs > archive.modifiedMs)) return false;
  return await isRecordedContent(path, selectionDigest(entries));
}

/** Makes the archive beside its final place and puts it there whole; the old one stays until then. */
export async function writeCacheArchive(request: CacheArchiveRequest, signal: AbortSignal): Promise<void> {
  const format = await loadFormat(request.format);
  if (format.write === undefined) throw unsupportedFormat(request.format);
  makeParentDirectory(request.path);
  const file = await createStagedFile(dirname(request.path), 'archive_');
  try {
    for await (const block of format.write(request, signal)) {
      await file.write(block);
      releaseBuffer(block);
    }
    await file.commit(request.path);
  } finally {
    await file.discard();
  }
  await recordContent(request.path, selectionDigest(request.entries));
}

/**
 * Unpacks a local cache archive.
 * @throws as `unpackArchive`.
 */
export async function extractCacheArchive(request: UnpackRequest, signal: AbortSignal): Promise<void> {
  const digest = extractionDigest(await unpackArchive(request, signal));
  // Without it the next save packs once more than needed; a cache that cannot be written to is no reason to fail.
  await recordContent(request.path, digest).catch(() => undefined);
}
