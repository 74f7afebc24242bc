import { crc32 } from 'node:zlib';
import type { SelectedEntry } from '../selection/selected-entry.ts';
import type { Compression, PackedBatch } from '../workers/tasks.ts';
import { nameFlags, relocateCentral, zipName } from './zip-entry-bytes.ts';
import {
  centralHeader,
  dataDescriptor,
  type EntryHeader,
  endRecords,
  flagDescriptor,
  limit32,
  localHeader,
  methodDeflate,
  methodStore,
  methodZstd,
  zip64FromBytes,
} from './zip-records.ts';

interface OpenEntry {
  readonly entry: SelectedEntry;
  readonly header: EntryHeader;
  readonly offset: number;
}

/** Knows where everything is and gathers the central directory. */
export class ZipLayout {
  readonly #method: number;
  readonly #central: Buffer[] = [];
  #offset = 0;
  #entryCount = 0;
  #open: OpenEntry | undefined;
  #crc = 0;
  #rawBytes = 0;
  #packedBytes = 0;

  constructor({ codec, level }: Compression) {
    this.#method = level === 0 ? methodStore : codec === 'zstd' ? methodZstd : methodDeflate;
  }

  /** A batch as a thread made it. */
  batch(batch: PackedBatch): Buffer {
    this.#central.push(relocateCentral(bufferOf(batch.central), this.#offset));
    this.#entryCount += batch.entryCount;
    this.#offset += batch.bodyBytes;
    return bufferOf(batch.body).subarray(0, batch.bodyBytes);
  }

  /** The header of a large file. */
  start(entry: SelectedEntry): Buffer {
    const header = largeHeader(entry, this.#method);
    this.#open = { entry, header, offset: this.#offset };
    this.#crc = 0;
    this.#rawBytes = 0;
    this.#packedBytes = 0;
    const local = localHeader(header);
    this.#offset += local.length;
    return local;
  }

  /** Content of the open file. */
  seen(raw: Buffer): void {
    if (raw.length > 0) this.#crc = crc32(raw, this.#crc);
    this.#rawBytes += raw.length;
  }

  /** Packed content of the open file. */
  data(packed: Buffer): Buffer {
    this.#packedBytes += packed.length;
    this.#offset += packed.length;
    return packed;
  }

  /** What closes the open file. */
  end(): Buffer {
    if (this.#open === undefined) throw new Error('no entry is open');
    const { entry, header, offset } = this.#open;
    const final = { ...header, crc: this.#crc, sizeBytes: this.#rawBytes, compressedBytes: this.#packedBytes };
    const descriptor = dataDescriptor(final);
    this.#central.push(centralHeader(final, { mode: entry.facts.mode, isDirectory: false, offset }));
    this.#entryCount += 1;
    this.#offset += descriptor.length;
    this.#open = undefined;
    return descriptor;
  }

  /** The central directory and the end of the archive. */
  *finish(): Generator<Buffer> {
    const centralOffset = this.#offset;
    let centralBytes = 0;
    for (const records of this.#central) {
      centralBytes += records.length;
      if (records.length > 0) yield records;
    }
    yield endRecords(this.#entryCount, centralOffset, centralBytes);
  }
}

function largeHeader({ path, facts }: SelectedEntry, method: number): EntryHeader {
  const name = zipName(path, false);
  return {
    name,
    flags: nameFlags(name) | flagDescriptor,
    method,
    crc: 0,
    compressedBytes: 0,
    sizeBytes: 0,
    modifiedMs: facts.modifiedMs,
    uid: Math.min(limit32, Math.max(0, facts.uid)),
    gid: Math.min(limit32, Math.max(0, facts.gid)),
    isZip64: facts.sizeBytes >= zip64FromBytes,
  };
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
