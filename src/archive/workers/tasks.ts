import type { WritingFacts } from '../../platform/batch-files.ts';
import type { EntryFacts, EntryKind } from '../../platform/file-tree.ts';
import type { SelectedEntry } from '../selection/selected-entry.ts';

/**
 * What main thread and workers tell each other. Entries go as a few arrays: thousands of objects would cost more to
 * copy than the work they stand for.
 */
export interface PackTask {
  readonly kind: 'packZip' | 'packTar';
  readonly root: string;
  readonly paths: readonly string[];
  /** `factsPerEntry` numbers for each path. */
  readonly facts: Float64Array;
  readonly compression: Compression;
}

/** Level 0: store. */
export interface Compression {
  readonly codec: 'deflate' | 'zstd';
  readonly level: number;
}

export interface PackedBatch {
  /** Local headers and data; what follows `bodyBytes` is empty. */
  readonly body: Uint8Array;
  readonly bodyBytes: number;
  /** ZIP: records of the central directory, offsets counted from the start of the body. */
  readonly central: Uint8Array;
  readonly entryCount: number;
  /** What could not be archived without being an error. */
  readonly problems: readonly string[];
}

export interface UnpackZipTask {
  readonly kind: 'unpackZip';
  /** Of the archive; descriptors are the same in all threads of a process. */
  readonly descriptor: number;
  /** Where the data of the batch ends. */
  readonly end: number;
  /** Files are created below it; their directories are there. */
  readonly root: string;
  /** Of files, in the order of their data. */
  readonly paths: readonly string[];
  /** `numbersPerFile` for each path, see `PackedFile`. */
  readonly numbers: Float64Array;
  readonly writing: WritingFacts;
}

/** A file of an archive, as far as unpacking it goes. */
export interface PackedFile {
  /** Of the local header. */
  readonly offset: number;
  readonly compressedBytes: number;
  readonly sizeBytes: number;
  readonly crc: number;
  readonly method: number;
  readonly mode: number;
  readonly modifiedMs: number;
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
}

export interface UnpackTarTask {
  readonly kind: 'unpackTar';
  readonly archive: string;
  readonly root: string;
  readonly target: string;
  readonly limits: { readonly maxEntries: number; readonly maxTotalBytes: number };
  readonly writing: WritingFacts;
}

const kinds: readonly EntryKind[] = ['file', 'directory', 'symlink', 'special'];
const factsPerEntry = 6;
const numbersPerFile = 9;

export function encodeFacts(entries: readonly SelectedEntry[]): Float64Array {
  const numbers = new Float64Array(entries.length * factsPerEntry);
  for (const [index, { facts }] of entries.entries()) {
    const at = index * factsPerEntry;
    numbers[at] = kinds.indexOf(facts.kind);
    numbers[at + 1] = facts.mode;
    numbers[at + 2] = facts.sizeBytes;
    numbers[at + 3] = facts.modifiedMs;
    numbers[at + 4] = facts.uid;
    numbers[at + 5] = facts.gid;
  }
  return numbers;
}

export function decodeFacts(numbers: Float64Array, index: number): EntryFacts {
  const at = index * factsPerEntry;
  const number = (field: number): number => numbers[at + field] ?? 0;
  return {
    kind: kinds[number(0)] ?? 'special',
    mode: number(1),
    sizeBytes: number(2),
    modifiedMs: number(3),
    uid: number(4),
    gid: number(5),
  };
}

export function encodeFiles(files: readonly PackedFile[]): Float64Array {
  const numbers = new Float64Array(files.length * numbersPerFile);
  for (const [index, file] of files.entries()) {
    const at = index * numbersPerFile;
    numbers[at] = file.offset;
    numbers[at + 1] = file.compressedBytes;
    numbers[at + 2] = file.sizeBytes;
    numbers[at + 3] = file.crc;
    numbers[at + 4] = file.method;
    numbers[at + 5] = file.mode;
    numbers[at + 6] = file.modifiedMs;
    numbers[at + 7] = file.owner?.uid ?? -1;
    numbers[at + 8] = file.owner?.gid ?? -1;
  }
  return numbers;
}

export function decodeFile(numbers: Float64Array, index: number): PackedFile {
  const at = index * numbersPerFile;
  const number = (field: number): number => numbers[at + field] ?? 0;
  return {
    offset: number(0),
    compressedBytes: number(1),
    sizeBytes: number(2),
    crc: number(3),
    method: number(4),
    mode: number(5),
    modifiedMs: number(6),
    owner: number(7) < 0 ? undefined : { uid: number(7), gid: number(8) },
  };
}
