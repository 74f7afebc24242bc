import { ArchiveError } from './archive-error.ts';
import type { ArchiveFormat, ArchiveFormatName } from './archive-format.ts';

export type { ArchiveFormat, ArchiveFormatName } from './archive-format.ts';

/** Every format, loaded when it is used. */
const formats: Readonly<Record<string, () => Promise<ArchiveFormat>>> = {
  zip: async () => (await import('./zip/zip-format.ts')).zipFormat,
  zipzstd: async () => (await import('./zip/zip-format.ts')).zipzstdFormat,
  tarzstd: async () => (await import('./tar/tar-format.ts')).tarzstdFormat,
  gzip: async () => (await import('./gzip/gzip-format.ts')).gzipFormat,
  raw: async () => (await import('./raw/raw-format.ts')).rawFormat,
};

/**
 * The format with a name; empty means zip.
 * @throws ArchiveError where there is none.
 */
export async function loadFormat(name: string): Promise<ArchiveFormat> {
  const wanted = name === '' ? 'zip' : name;
  const load = isFormatAvailable(wanted) ? formats[wanted] : undefined;
  if (load === undefined) throw unsupportedFormat(name);
  return await load();
}

/** Whether a format can be made by this version. */
export function isFormatAvailable(name: string): boolean {
  return Object.hasOwn(formats, name);
}

export function unsupportedFormat(name: string): ArchiveError {
  return new ArchiveError(`"${name}" format: unsupported archive format`, {
    hint: `Known formats: ${Object.keys(formats).join(', ')}.`,
  });
}

/** Tells a format by an archive's first bytes (spec cache-artifacts.md §3). What is nothing else is taken as zip. */
export function detectFormat(head: Uint8Array): ArchiveFormatName {
  const [first, second, third, fourth] = head;
  if (first === 0x28 && second === 0xb5 && third === 0x2f && fourth === 0xfd) return 'tarzstd';
  return first === 0x1f && second === 0x8b ? 'gzip' : 'zip';
}
