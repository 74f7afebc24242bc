import type { ArchiveFormat } from '../archive-format.ts';
import { extractZip } from './zip-extract.ts';
import { writeZip } from './zip-writer.ts';

export const zipFormat: ArchiveFormat = {
  name: 'zip',
  fileExtension: '.zip',
  write: (request, signal) => writeZip(request, 'deflate', signal),
  extract: extractZip,
};

/** A ZIP whose files are compressed with zstd (method 93): for caches, which only runners read. */
export const zipzstdFormat: ArchiveFormat = {
  name: 'zipzstd',
  fileExtension: '.zip',
  write: (request, signal) => writeZip(request, 'zstd', signal),
  extract: extractZip,
};
