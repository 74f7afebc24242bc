import { dirname } from 'node:path';
import type { CompressionLevel } from '../archive/compression-level.ts';
import { loadFormat, unsupportedFormat } from '../archive/format.ts';
import type { SelectedEntry } from '../archive/selection/selected-entry.ts';
import { releaseBuffer } from '../archive/stream/release.ts';
import { type UnpackRequest, unpackArchive } from '../archive/unpack.ts';
import { createStagedFile, inspectFile, makeParentDirectory } from '../platform/staged-file.ts';
import { extractionDigest, isRecorded, isRecordedContent, recordContent, selectionDigest } from './cache-manifest.ts';
import { hasSameContent } from './same-content.ts';

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
 * newer than the archive itself. Where only times differ, content is compared.
 */
export async function isCacheUpToDate(path: string, root: string, entries: readonly SelectedEntry[]): Promise<boolean> {
  const archive = inspectFile(path);
  if (archive === undefined) return false;
  const hasNewer = entries.some(({ facts }) => facts.modifiedMs > archive.modifiedMs);
  if (!hasNewer && (await isRecordedContent(path, selectionDigest(entries)))) return true;
  // Somebody else's archive may have been made of other files with the same times.
  return (await isRecorded(path)) && hasSameContent(path, root, entries);
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
