import { closeSync, fstatSync, openSync } from 'node:fs';
import { readAt, readAtLater } from './file-tree.ts';

/** An archive opened for reading at any position. */
export interface ArchiveFile {
  readonly path: string;
  /** Good in every thread of this process until `close`. */
  readonly descriptor: number;
  readonly sizeBytes: number;
  /** Fewer bytes than asked only at the end of the file. Blocks: for headers and small entries. */
  readNow(position: number, length: number): Buffer;
  /** As `readNow`, off the event loop. */
  read(position: number, length: number): Promise<Buffer>;
  /** Idempotent. */
  close(): void;
}

/** Opens an archive. @throws the system's error. */
export function openArchiveFile(path: string): ArchiveFile {
  const descriptor = openSync(path, 'r');
  const sizeBytes = fstatSync(descriptor).size;
  let isOpen = true;
  return {
    path,
    descriptor,
    sizeBytes,
    readNow: (position, length) => readAt(descriptor, position, length),
    read: (position, length) => readAtLater(descriptor, position, length),
    close: () => {
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
}
