import { TextDecoder } from 'node:util';
import { crc32 } from 'node:zlib';
import { appendBytesAt, byteFileSize, cutByteFile, readByteRange } from '../../platform/byte-file.ts';
import type { StoreFolders } from '../store/folders.ts';

interface TraceState {
  size: number;
  crc: number;
  /** Offset 0 is accepted once and empties the trace. */
  mayReset: boolean;
  /** Follows the UTF-8 of the trace from its start; undefined after a restart in its middle. */
  decoder: TextDecoder | undefined;
}

export type AppendResult =
  | { readonly kind: 'stored'; readonly size: number; readonly isReset: boolean; readonly isText: boolean }
  | { readonly kind: 'mismatch'; readonly size: number }
  | { readonly kind: 'busy' }
  | { readonly kind: 'too_big' };

const readChunkBytes = 1024 * 1024;

/** The traces on disk, with their sizes and checksums. */
export class TraceBook {
  readonly #folders: StoreFolders;
  readonly #maxBytes: number;
  readonly #states = new Map<number, TraceState>();
  readonly #busy = new Set<number>();

  constructor(folders: StoreFolders, maxBytes: number) {
    this.#folders = folders;
    this.#maxBytes = maxBytes;
  }

  async size(jobId: number): Promise<number> {
    return (await this.#state(jobId)).size;
  }

  /** As `size`, if it is known without looking. */
  knownSize(jobId: number): number | undefined {
    return this.#states.get(jobId)?.size;
  }

  /** `crc32:%08x` over all stored bytes. */
  async checksum(jobId: number): Promise<string> {
    return `crc32:${(await this.#state(jobId)).crc.toString(16).padStart(8, '0')}`;
  }

  isBusy(jobId: number): boolean {
    return this.#busy.has(jobId);
  }

  /** Appends at `start`, if the trace ends there. One append at a time per job. */
  async append(jobId: number, start: number, bytes: Uint8Array): Promise<AppendResult> {
    if (this.#busy.has(jobId)) return { kind: 'busy' };
    this.#busy.add(jobId);
    try {
      return await this.#appendAlone(jobId, start, bytes);
    } finally {
      this.#busy.delete(jobId);
    }
  }

  /** Lets the next append start at 0 again. */
  async allowReset(jobId: number): Promise<void> {
    (await this.#state(jobId)).mayReset = true;
  }

  async read(jobId: number, start: number, end: number): Promise<Buffer> {
    return readByteRange(this.#folders.trace(jobId), start, end);
  }

  /** Frees what only a growing trace needs. */
  release(jobId: number): void {
    const state = this.#states.get(jobId);
    if (state !== undefined) state.decoder = undefined;
  }

  /** Forgets a job. */
  forget(jobId: number): void {
    this.#states.delete(jobId);
  }

  async #appendAlone(jobId: number, start: number, bytes: Uint8Array): Promise<AppendResult> {
    const state = await this.#state(jobId);
    const isReset = state.mayReset && start === 0 && state.size > 0;
    if (isReset) {
      await cutByteFile(this.#folders.trace(jobId), 0);
      Object.assign(state, emptyTrace());
    }
    if (start !== state.size) return { kind: 'mismatch', size: state.size };
    if (start + bytes.length > this.#maxBytes) return { kind: 'too_big' };
    state.mayReset = false;
    await appendBytesAt(this.#folders.trace(jobId), state.size, bytes);
    state.size += bytes.length;
    state.crc = crc32(bytes, state.crc);
    return { kind: 'stored', size: state.size, isReset, isText: followText(state, bytes) };
  }

  async #state(jobId: number): Promise<TraceState> {
    const known = this.#states.get(jobId);
    if (known !== undefined) return known;
    const path = this.#folders.trace(jobId);
    const size = await byteFileSize(path);
    let crc = 0;
    for (let offset = 0; offset < size; offset += readChunkBytes) {
      crc = crc32(await readByteRange(path, offset, Math.min(size, offset + readChunkBytes)), crc);
    }
    // Another call may have been faster; its state is the one being changed.
    const loaded = size === 0 ? emptyTrace() : { size, crc, mayReset: false, decoder: undefined };
    const state = this.#states.get(jobId) ?? loaded;
    this.#states.set(jobId, state);
    return state;
  }
}

function emptyTrace(): TraceState {
  return { size: 0, crc: 0, mayReset: false, decoder: new TextDecoder('utf-8', { fatal: true }) };
}

/** @returns whether the trace is valid UTF-8 so far. */
function followText(state: TraceState, bytes: Uint8Array): boolean {
  try {
    state.decoder?.decode(bytes, { stream: true });
    return true;
  } catch {
    state.decoder = undefined;
    return false;
  }
}
