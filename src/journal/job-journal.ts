import { join } from 'node:path';
import type { JsonValue } from '../lib/json.ts';
import { removeTreeAsync } from '../platform/private-folder.ts';
import { openRecordFile, readRecordFile } from '../platform/record-file.ts';
import type { JournalRecord } from './records.ts';

/** One job's journal. */
export interface JobJournal {
  /** The job's private folder (0700). */
  readonly folder: string;
  /** What it held when it was opened. */
  readonly records: readonly JournalRecord[];
  /**
   * Durable against the end of this process when it returns.
   * @throws StorageError
   */
  append(record: JournalRecord): void;
  /** Closes the file and leaves everything for a later manager. Idempotent. */
  close(): void;
  /** The end is acknowledged: nothing of the job is kept. Idempotent. */
  remove(): Promise<void>;
}

/**
 * Opens the journal in a job's folder. `removeFolder` must stand being called again.
 * @throws StorageError when it cannot be read.
 */
export function openJobJournal(
  folder: string,
  removeFolder: (folder: string) => Promise<void> = removeTreeAsync,
): JobJournal {
  const { file, records } = openRecordFile(join(folder, 'records'));
  return {
    folder,
    // Written by this program into a folder that only its account can write: trusted as its own data.
    records: records as readonly unknown[] as readonly JournalRecord[],
    append: (record) => file.append(record as unknown as JsonValue),
    close: () => file.close(),
    remove: async () => {
      file.close();
      await removeFolder(folder);
    },
  };
}

/** What the journal of anybody's job holds; undefined when it cannot be read. */
export function readJobRecords(folder: string): readonly JournalRecord[] | undefined {
  return readRecordFile(join(folder, 'records')) as readonly unknown[] | undefined as
    | readonly JournalRecord[]
    | undefined;
}
