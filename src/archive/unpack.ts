import { openArchiveFile } from '../platform/archive-file.ts';
import { ArchiveError } from './archive-error.ts';
import type { ExtractedEntry } from './extract/extraction.ts';
import type { ExtractionLimits } from './extract/limits.ts';
import { detectFormat, loadFormat, unsupportedFormat } from './format.ts';

export interface UnpackRequest {
  readonly path: string;
  /** Absolute. */
  readonly target: string;
  readonly limits: ExtractionLimits;
  /** How many large files are unpacked at the same time. */
  readonly concurrency: number;
}

/**
 * Unpacks an archive file, its format told by its first bytes; see `ArchiveFormat.extract`.
 * @throws the system's ENOENT where there is none; ArchiveError where it cannot be unpacked.
 */
export async function unpackArchive(request: UnpackRequest, signal: AbortSignal): Promise<readonly ExtractedEntry[]> {
  const file = openArchiveFile(request.path);
  try {
    const name = detectFormat(file.readNow(0, 4));
    const format = await loadFormat(name);
    if (format.extract === undefined) throw unsupportedFormat(name);
    return await format.extract({ ...request, file }, signal);
  } catch (error) {
    // A number in the archive pointed outside it.
    if (error instanceof RangeError) throw new ArchiveError('the archive is damaged', { cause: error });
    throw error;
  } finally {
    file.close();
  }
}
