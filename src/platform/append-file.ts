import { writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { errorMessage, StorageError, systemErrorCode } from '../lib/errors.ts';

/** Only the manager's own user reads what it stores. */
const OWNER_ONLY = 0o600;

/** A file that grows at its end and is read anywhere; private to its owner. */
export class AppendFile {
  readonly path: string;
  readonly #handle: FileHandle;
  #sizeBytes: number;

  private constructor(path: string, handle: FileHandle, sizeBytes: number) {
    this.path = path;
    this.#handle = handle;
    this.#sizeBytes = sizeBytes;
  }

  /**
   * Makes an empty file; one of that name is emptied.
   * @throws StorageError
   */
  static async create(path: string): Promise<AppendFile> {
    try {
      return new AppendFile(path, await open(path, 'w+', OWNER_ONLY), 0);
    } catch (error) {
      throw storageError('create', path, error);
    }
  }

  /**
   * Opens a file that exists and cuts it to its first `keepBytes` bytes.
   * @throws StorageError when there is none, or it is shorter.
   */
  static async reopen(path: string, keepBytes: number): Promise<AppendFile> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, 'r+');
      const { size } = await handle.stat();
      if (size < keepBytes) throw new Error(`it holds ${size} bytes, ${keepBytes} were recorded`);
      await handle.truncate(keepBytes);
      return new AppendFile(path, handle, keepBytes);
    } catch (error) {
      await handle?.close();
      throw storageError('take up', path, error);
    }
  }

  /** Bytes written so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /**
   * Writes at the end; handed to the operating system when it returns. After an error the size is what it was, and the
   * same bytes may be given again.
   * @throws StorageError
   */
  append(bytes: Uint8Array): void {
    try {
      let done = 0;
      while (done < bytes.length) {
        done += writeSync(this.#handle.fd, bytes, done, bytes.length - done, this.#sizeBytes + done);
      }
      this.#sizeBytes += bytes.length;
    } catch (error) {
      throw storageError('write', this.path, error);
    }
  }

  /**
   * Up to `length` bytes from `offset`; fewer at the end of the file.
   * @throws StorageError
   */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const wanted = Math.max(Math.min(length, this.#sizeBytes - offset), 0);
    const bytes = Buffer.allocUnsafe(wanted);
    try {
      let done = 0;
      while (done < wanted) {
        const { bytesRead } = await this.#handle.read(bytes, done, wanted - done, offset + done);
        if (bytesRead === 0) throw new Error('the file ended early');
        done += bytesRead;
      }
      return bytes;
    } catch (error) {
      throw storageError('read', this.path, error);
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#handle.close();
  }
}

function storageError(action: string, path: string, cause: unknown): StorageError {
  const systemCode = systemErrorCode(cause);
  const isFull = systemCode === 'ENOSPC' || systemCode === 'EDQUOT';
  return new StorageError(`cannot ${action} ${path}: ${errorMessage(cause)}`, {
    cause,
    ...(isFull ? { hint: 'The disk is full: free space on it.' } : {}),
    ...(systemCode === undefined ? {} : { details: { systemCode } }),
  });
}
