import { crc32 } from 'node:zlib';
import { pathBelow } from '../archive/archive-path.ts';
import { defaultExtractionLimits } from '../archive/extract/limits.ts';
import { detectFormat } from '../archive/format.ts';
import type { SelectedEntry } from '../archive/selection/selected-entry.ts';
import { readZipDirectory, type ZipEntry } from '../archive/zip/zip-directory.ts';
import { type ArchiveFile, openArchiveFile } from '../platform/archive-file.ts';
import { closeDescriptor, type FilePath, openForReading, readAt, readLinkTarget } from '../platform/file-tree.ts';
import { inspectFile } from '../platform/staged-file.ts';

/**
 * Whether a ZIP archive holds exactly the selected entries with their content. Files whose times are those of the
 * archive are taken as unchanged, the others are read and compared by size and checksum; the first difference ends it.
 * Other archives keep no checksums to compare with: they count as different.
 */
export function hasSameContent(archivePath: string, root: string, entries: readonly SelectedEntry[]): boolean {
  const file = openArchiveFile(archivePath);
  try {
    return equals(file, root, entries, (inspectFile(archivePath)?.modifiedMs ?? 0) - doubtfulMs);
  } catch {
    // A damaged archive or a file that cannot be read: packing again tells what is wrong.
    return false;
  } finally {
    file.close();
  }
}

function equals(file: ArchiveFile, root: string, entries: readonly SelectedEntry[], trustedUntilMs: number): boolean {
  if (detectFormat(file.readNow(0, 4)) !== 'zip') return false;
  const wanted = entries.filter(({ facts }) => facts.kind !== 'special');
  const archived = new Map<string, ZipEntry>();
  for (const entry of readZipDirectory(file, defaultExtractionLimits.maxEntries).entries) {
    archived.set(entry.name === './' ? '.' : entry.name.replace(/\/$/, ''), entry);
  }
  if (archived.size !== wanted.length) return false;
  const pairs = wanted.map((entry) => ({ entry, packed: archived.get(entry.path) }));
  // What costs no reading first.
  const hasAll = (test: (entry: SelectedEntry, packed: ZipEntry) => boolean): boolean =>
    pairs.every(({ entry, packed }) => packed !== undefined && test(entry, packed));
  return (
    hasAll(hasSameShape) &&
    hasAll((entry, packed) => hasSameBytes(pathBelow(root, entry.path), entry, packed, trustedUntilMs))
  );
}

function hasSameShape({ facts }: SelectedEntry, packed: ZipEntry): boolean {
  if (facts.kind !== packed.kind) return false;
  if (facts.kind === 'symlink') return true;
  if ((facts.mode & 0o777) !== (packed.mode & 0o777)) return false;
  return facts.kind === 'directory' || facts.sizeBytes === packed.sizeBytes;
}

function hasSameBytes(path: FilePath, { facts }: SelectedEntry, packed: ZipEntry, trustedUntilMs: number): boolean {
  if (facts.kind === 'directory') return true;
  if (facts.kind === 'symlink') return crc32(readLinkTarget(path)) === packed.crc;
  const hasSameTime = Math.floor(facts.modifiedMs / 1000) === Math.floor(packed.modifiedMs / 1000);
  if (hasSameTime && facts.modifiedMs < trustedUntilMs) return true;
  return checksumOf(path) === packed.crc;
}

/** What was written so shortly before the archive may have changed again in the same second. */
const doubtfulMs = 2000;
const readBytes = 1024 * 1024;

function checksumOf(path: FilePath): number {
  const { descriptor, facts } = openForReading(path);
  try {
    let sum = 0;
    for (let position = 0; position < facts.sizeBytes; position += readBytes) {
      sum = crc32(readAt(descriptor, position, Math.min(readBytes, facts.sizeBytes - position)), sum);
    }
    return sum;
  } finally {
    closeDescriptor(descriptor);
  }
}
