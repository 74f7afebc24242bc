import { type FileHandle, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomHex } from './random.ts';

/** Bytes kept on disk for a while. The file has no name, where the system allows that: nothing is ever left behind. */
export interface SpoolFile {
  readonly sizeBytes: number;
  /** Adds to the end. */
  write(data: Uint8Array): Promise<void>;
  /** All that was written, as often as needed. */
  read(): AsyncIterable<Buffer>;
  /** Gives the space back. Idempotent. */
  close(): Promise<void>;
}

const readBytes = 256 * 1024;

/** @param directory default: the system's for temporary files. */
export async function createSpoolFile(directory: string | undefined): Promise<SpoolFile> {
  const path = join(directory ?? tmpdir(), `spool${randomHex(8)}`);
  const handle = await open(path, 'wx+', 0o600);
  const hasName = process.platform === 'win32';
  if (!hasName) await rm(path);
  let sizeBytes = 0;
  let isOpen = true;
  return {
    get sizeBytes() {
      return sizeBytes;
    },
    write: async (data) => {
      for (let written = 0; written < data.length; ) {
        const { bytesWritten } = await handle.write(data, written, data.length - written, sizeBytes);
        written += bytesWritten;
        sizeBytes += bytesWritten;
      }
    },
    read: () => readFrom(handle, sizeBytes),
    close: async () => {
      if (!isOpen) return;
      isOpen = false;
      await handle.close();
      if (hasName) await rm(path, { force: true });
    },
  };
}

async function* readFrom(handle: FileHandle, sizeBytes: number): AsyncGenerator<Buffer> {
  for (let position = 0; position < sizeBytes; ) {
    const length = Math.min(readBytes, sizeBytes - position);
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, position);
    if (bytesRead === 0) throw new Error('a temporary file became shorter');
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
