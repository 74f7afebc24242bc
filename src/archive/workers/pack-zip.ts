import { crc32 } from 'node:zlib';
import type { EntryFacts } from '../../platform/file-tree.ts';
import {
  type PlainEntry,
  plainCentralBytes,
  plainLocalBytes,
  writePlainCentral,
  writePlainLocal,
  zipName,
} from '../zip/zip-entry-bytes.ts';
import { methodDeflate, methodStore, methodZstd } from '../zip/zip-records.ts';
import { roomFor } from './codec.ts';
import { contentRoom, readEntryInto } from './entry-source.ts';
import { looksCompressed } from './incompressible.ts';
import { decodeFacts, type PackedBatch, type PackTask } from './tasks.ts';
import type { WorkingSet } from './working-set.ts';

interface NamedFacts {
  readonly path: string;
  readonly name: Buffer;
  readonly facts: EntryFacts;
}

/** Packs small entries: local header and data of each, one after the other, and their records of the central directory. */
export function packZip(task: PackTask, set: WorkingSet): PackedBatch {
  const entries = task.paths.map((path, index): NamedFacts => {
    const facts = decodeFacts(task.facts, index);
    return { path, name: zipName(path, facts.kind === 'directory'), facts };
  });
  const writer = new BatchWriter(entries, task, set);
  for (const entry of entries) writer.add(entry);
  return writer.finish();
}

class BatchWriter {
  readonly #task: PackTask;
  readonly #set: WorkingSet;
  readonly #body: Buffer;
  readonly #central: Buffer;
  readonly #scratch: Buffer;
  readonly #problems: string[] = [];
  #bodyBytes = 0;
  #centralBytes = 0;
  #count = 0;

  constructor(entries: readonly NamedFacts[], task: PackTask, set: WorkingSet) {
    let [body, central, largest] = [0, 0, 0];
    for (const { name, facts } of entries) {
      const room = contentRoom(facts);
      body += plainLocalBytes(name) + room;
      central += plainCentralBytes(name);
      largest = Math.max(largest, room);
    }
    this.#task = task;
    this.#set = set;
    // Compressed content that turns out larger is replaced by the content itself.
    this.#body = Buffer.allocUnsafeSlow(body + roomFor(largest) - largest);
    this.#central = Buffer.allocUnsafeSlow(central);
    this.#scratch = set.scratch(largest);
  }

  add({ path, name, facts }: NamedFacts): void {
    const size = readEntryInto(this.#task.root, path, facts, this.#scratch, this.#problems);
    if (size === undefined) return;
    const content = this.#scratch.subarray(0, size);
    const dataAt = this.#bodyBytes + plainLocalBytes(name);
    const packed = facts.kind === 'file' ? this.#compress(content, dataAt) : undefined;
    if (packed === undefined) content.copy(this.#body, dataAt);
    const entry: PlainEntry = {
      name,
      facts,
      method: packed === undefined ? methodStore : this.#task.compression.codec === 'zstd' ? methodZstd : methodDeflate,
      crc: size === 0 ? 0 : crc32(content),
      sizeBytes: size,
      compressedBytes: packed ?? size,
    };
    writePlainLocal(this.#body, this.#bodyBytes, entry);
    writePlainCentral(this.#central, this.#centralBytes, entry, this.#bodyBytes);
    this.#centralBytes += plainCentralBytes(name);
    this.#bodyBytes = dataAt + entry.compressedBytes;
    this.#count += 1;
  }

  finish(): PackedBatch {
    return {
      body: this.#body,
      bodyBytes: this.#bodyBytes,
      central: this.#central.subarray(0, this.#centralBytes),
      entryCount: this.#count,
      problems: this.#problems,
    };
  }

  /** @returns undefined where compression does not pay: what does not become smaller is stored. */
  #compress(content: Buffer, at: number): number | undefined {
    const { codec, level } = this.#task.compression;
    if (level === 0 || content.length < 2 || looksCompressed(content)) return undefined;
    const packedBytes = this.#set.compressor(codec, level).compress(content, this.#body, at);
    return packedBytes < content.length ? packedBytes : undefined;
  }
}
