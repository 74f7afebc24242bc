import { crc32 } from 'node:zlib';
import { errorMessage, StorageError } from '../lib/errors.ts';
import { AppendFile } from '../platform/append-file.ts';
import { TraceTail } from './trace-tail.ts';

const BATCH_BYTES = 64 * 1024;
/** Enough for a job that prints a few lines now and then; hundreds of those run at once. */
const FIRST_BATCH_BYTES = 4 * 1024;
const NEW_LINE = 0x0a;

export interface TraceFileState {
  readonly storedBytes: number;
  readonly crc: number;
}

/**
 * The stored bytes of a trace with their checksum. Writes are gathered: they reach the file when enough came together,
 * at the end of the event loop's turn, or when asked. A file that fails once takes nothing more; last words then stay in
 * memory.
 */
export class TraceFile {
  readonly #file: AppendFile;
  readonly #onStorageError: (error: StorageError) => void;
  #batch: Buffer | undefined;
  #batchedBytes = 0;
  #crc: number;
  #hasFailed = false;
  #isClosed = false;
  /** What comes behind the file's bytes once it has failed. */
  readonly #tail = new TraceTail();
  #tailCrc: number | undefined;
  #endsLine = true;
  #scheduled: NodeJS.Immediate | undefined;

  private constructor(file: AppendFile, crc: number, onStorageError: (error: StorageError) => void) {
    this.#file = file;
    this.#crc = crc;
    this.#onStorageError = onStorageError;
  }

  /**
   * A new empty file, or the one that holds the first bytes of `state`.
   * `onStorageError` is called once, when the file cannot be written any more.
   * @throws StorageError when it cannot be opened.
   */
  static async open(
    path: string,
    onStorageError: (error: StorageError) => void,
    state?: TraceFileState,
  ): Promise<TraceFile> {
    if (state === undefined) return new TraceFile(await AppendFile.create(path), 0, onStorageError);
    return new TraceFile(await AppendFile.reopen(path, state.storedBytes), state.crc, onStorageError);
  }

  /** Bytes in the file, and behind it. */
  get storedBytes(): number {
    return this.#file.sizeBytes + this.#tail.sizeBytes;
  }

  /** CRC-32 of them. */
  get crc(): number {
    return this.#tailCrc ?? this.#crc;
  }

  /** What a later manager will find. */
  get durable(): TraceFileState {
    return { storedBytes: this.#file.sizeBytes, crc: this.#crc };
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Takes a copy. */
  append(bytes: Uint8Array): void {
    if (this.#hasFailed) return;
    if (this.#batchedBytes + bytes.length > BATCH_BYTES) this.flush();
    if (bytes.length >= BATCH_BYTES) {
      this.#store(bytes);
      return;
    }
    this.#batchFor(this.#batchedBytes + bytes.length).set(bytes, this.#batchedBytes);
    this.#batchedBytes += bytes.length;
    this.#scheduled ??= setImmediate(() => this.flush());
  }

  #batchFor(sizeBytes: number): Buffer {
    const batch = this.#batch;
    if (batch !== undefined && sizeBytes <= batch.length) return batch;
    const larger = Buffer.allocUnsafeSlow(sizeBytes <= FIRST_BATCH_BYTES ? FIRST_BATCH_BYTES : BATCH_BYTES);
    if (batch !== undefined) larger.set(batch.subarray(0, this.#batchedBytes));
    this.#batch = larger;
    return larger;
  }

  /** Why the job ends, of which a full disk must not keep the user from hearing. */
  appendLastWords(bytes: Uint8Array): void {
    if (!this.#hasFailed || this.#isClosed) return;
    this.#keep(this.#endsLine ? bytes : Buffer.concat([Buffer.from('\n'), bytes]));
  }

  /** Everything taken is in the file afterwards. */
  flush(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const count = this.#batchedBytes;
    this.#batchedBytes = 0;
    if (count > 0 && this.#batch !== undefined) this.#store(this.#batch.subarray(0, count));
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const fromFile = await this.#file.read(offset, length);
    if (fromFile.length === length || this.#tail.sizeBytes === 0) return fromFile;
    const inTail = offset + fromFile.length - this.#file.sizeBytes;
    return Buffer.concat([fromFile, this.#tail.read(inTail, length - fromFile.length)]);
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.flush();
    this.#batch = undefined;
    this.#hasFailed = true;
    this.#isClosed = true;
    await this.#file.close();
  }

  #keep(bytes: Uint8Array): void {
    const taken = this.#tail.append(bytes);
    if (taken.length === 0) return;
    this.#endsLine = taken.at(-1) === NEW_LINE;
    this.#tailCrc = crc32(taken, this.crc);
  }

  #store(bytes: Uint8Array): void {
    if (this.#hasFailed) return;
    try {
      this.#file.append(bytes);
      this.#crc = crc32(bytes, this.#crc);
      this.#endsLine = bytes.at(-1) === NEW_LINE;
    } catch (error) {
      this.#hasFailed = true;
      this.#keep(bytes);
      this.#onStorageError(
        error instanceof StorageError ? error : new StorageError(`cannot store the trace: ${errorMessage(error)}`),
      );
    }
  }
}
