import type { ArchiveFormat } from '../format.ts';
import { extractZip } from './zip-extract.ts';
import { writeZip } from './zip-writer.ts';

export const zipFormat: ArchiveFormat = {
  name: 'zip',
  fileExtension: '.zip',
  write: writeZip,
  extract: extractZip,
};
