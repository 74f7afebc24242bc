import { posix } from 'node:path';
import { ArchiveError } from '../archive-error.ts';
import { entryPath } from '../extract/entry-path.ts';
import type { ExtractionLimits } from '../extract/limits.ts';
import { damaged, type ZipDirectory, type ZipEntry } from './zip-directory.ts';
import { flagEncrypted, localHeaderBytes, methodDeflate, methodStore, methodZstd } from './zip-records.ts';

/** An entry to unpack and where it goes. */
export interface PlannedEntry {
  readonly path: string;
  readonly entry: ZipEntry;
}

/**
 * Checks a whole archive before anything is written: no entry leaves the target, none is two things at once or lies
 * below one that is no directory, data does not overlap, sizes keep the limits. Special files are left out.
 * @returns entries in the order of their data; of several with one path the last.
 * @throws ArchiveError for an archive that must not be unpacked.
 */
export function planExtraction(
  directory: ZipDirectory,
  target: string,
  limits: ExtractionLimits,
): readonly PlannedEntry[] {
  const byPath = new Map<string, PlannedEntry>();
  for (const entry of directory.entries) {
    const path = entryPath(entry.name, target, process.platform === 'win32');
    if (entry.kind === 'special') continue;
    checkReadable(entry);
    const earlier = byPath.get(path);
    if (earlier !== undefined && earlier.entry.kind !== entry.kind) {
      throw new ArchiveError(`the archive has "${path}" as two different things`);
    }
    byPath.set(path, { path, entry });
  }
  checkParents(byPath);
  checkSizes(directory, limits);
  return [...byPath.values()].sort((a, b) => a.entry.offset - b.entry.offset);
}

const knownMethods: ReadonlySet<number> = new Set([methodStore, methodDeflate, methodZstd]);

function checkReadable(entry: ZipEntry): void {
  if ((entry.flags & flagEncrypted) !== 0) throw new ArchiveError(`"${entry.name}" is encrypted`);
  if (entry.kind === 'directory' || knownMethods.has(entry.method)) return;
  throw new ArchiveError(`"${entry.name}" is compressed with method ${entry.method}, which is not supported`);
}

function checkParents(byPath: ReadonlyMap<string, PlannedEntry>): void {
  const checked = new Set<string>(['.']);
  for (const path of byPath.keys()) {
    for (let parent = posix.dirname(path); !checked.has(parent); parent = posix.dirname(parent)) {
      const kind = byPath.get(parent)?.entry.kind ?? 'directory';
      if (kind !== 'directory')
        throw new ArchiveError(`the archive has "${path}" below "${parent}", which is no directory`);
      checked.add(parent);
    }
  }
}

function checkSizes(directory: ZipDirectory, limits: ExtractionLimits): void {
  let total = 0;
  let dataEnd = 0;
  for (const entry of [...directory.entries].sort((a, b) => a.offset - b.offset)) {
    // Overlapping data is how a small archive becomes a huge tree.
    if (entry.offset < dataEnd) throw damaged(`its entries overlap at "${entry.name}"`);
    dataEnd = entry.offset + localHeaderBytes + entry.nameBytes + entry.compressedBytes;
    if (dataEnd > directory.start) throw damaged(`"${entry.name}" reaches beyond the data`);
    total += entry.sizeBytes;
  }
  if (total > limits.maxTotalBytes) {
    throw new ArchiveError(`the archive unpacks to ${total} bytes, more than the limit of ${limits.maxTotalBytes}`);
  }
}
