import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { errorMessage, StorageError } from '../lib/errors.ts';
import type { JsonValue } from '../lib/json.ts';

/** An append-only file of JSON records, one a line, that only its owner can read (0600). */
export interface RecordFile {
  /**
   * Appends one record; it survives the end of this process when the call returns.
   * @throws StorageError (disk full, permissions)
   */
  append(record: JsonValue): void;
  /** Idempotent. */
  close(): void;
}

/**
 * Opens a record file for appending, creating it where it is absent. A torn last record is cut off.
 * @returns the file and the records it holds already.
 * @throws StorageError when it cannot be opened or a record before the last is damaged.
 */
export function openRecordFile(path: string): { readonly file: RecordFile; readonly records: readonly JsonValue[] } {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'a+', 0o600);
  } catch (error) {
    throw new StorageError(`cannot open ${path}: ${errorMessage(error)}`, { cause: error });
  }
  const bytes = readFileSync(descriptor);
  const end = bytes.lastIndexOf(0x0a) + 1;
  if (end < bytes.length) ftruncateSync(descriptor, end);
  return { file: recordFile(path, descriptor, end), records: parseRecords(path, bytes.subarray(0, end)) };
}

/** The whole records of a file, which is left as it is; undefined when it cannot be read or is damaged. */
export function readRecordFile(path: string): readonly JsonValue[] | undefined {
  try {
    const bytes = readFileSync(path);
    return parseRecords(path, bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1));
  } catch {
    return undefined;
  }
}

function recordFile(path: string, descriptor: number, initialSize: number): RecordFile {
  let size = initialSize;
  let isOpen = true;
  return {
    append: (record) => {
      const line = Buffer.from(`${JSON.stringify(record)}\n`);
      try {
        writeWhole(descriptor, line);
        size += line.length;
      } catch (error) {
        cutTo(descriptor, size);
        throw new StorageError(`cannot write ${path}: ${errorMessage(error)}`, { cause: error });
      }
    },
    close: () => {
      if (!isOpen) return;
      isOpen = false;
      closeSync(descriptor);
    },
  };
}

function writeWhole(descriptor: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(descriptor, bytes, written);
}

/** A half-written record would make the next one unreadable. */
function cutTo(descriptor: number, size: number): void {
  try {
    ftruncateSync(descriptor, size);
  } catch {
    // The write error is the one worth telling; a torn record is cut off when the file is opened again.
  }
}

function parseRecords(path: string, bytes: Buffer): readonly JsonValue[] {
  const lines = bytes.toString('utf8').split('\n');
  lines.pop();
  return lines.map((line, index) => {
    try {
      return JSON.parse(line) as JsonValue;
    } catch (error) {
      throw new StorageError(`${path}: record ${index + 1} is damaged`, { cause: error });
    }
  });
}
