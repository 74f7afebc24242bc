import { isUtf8 } from 'node:buffer';
import { crc32 } from 'node:zlib';
import { readLinkTarget } from '../../platform/file-tree.ts';
import { pathBelow, pathBytes } from '../archive-path.ts';
import type { CompressionLevel } from '../compression-level.ts';
import type { WriteRequest } from '../format.ts';
import type { SelectedEntry } from '../selection/selected-entry.ts';
import { BlockBuffer } from '../stream/blocks.ts';
import { deflateChunk, packingWindow } from '../stream/deflate-chunk.ts';
import { openSource, type PackedChunk, releaseChunk, type SourceFile } from '../stream/file-chunks.ts';
import { inOrder, type Step } from '../stream/in-order.ts';
import {
  centralHeader,
  dataDescriptor,
  type EntryHeader,
  endRecords,
  flagDescriptor,
  flagUtf8,
  limit32,
  localHeader,
  methodDeflate,
  methodStore,
  zip64FromBytes,
} from './zip-records.ts';

/** Deflate level by name; 0 is Store (spec cache-artifacts.md §3.1). */
const deflateLevels: Readonly<Record<CompressionLevel, number>> = {
  fastest: 0,
  fast: 1,
  default: 5,
  slow: 7,
  slowest: 9,
};

/** What one step contributes; emitted strictly in order. */
type Piece =
  | { readonly kind: 'whole'; readonly entry: SelectedEntry; readonly chunk: PackedChunk; readonly method: number }
  | { readonly kind: 'start'; readonly entry: SelectedEntry; readonly method: number }
  | { readonly kind: 'chunk'; readonly chunk: PackedChunk }
  | { readonly kind: 'end' };

/**
 * Writes a ZIP archive as a stream (spec cache-artifacts.md §3.3): entries in the given order, compressed in parallel.
 * Files up to a megabyte have their sizes in the header and are stored where deflate does not shrink them; larger ones
 * are followed by a data descriptor.
 */
export async function* writeZip(request: WriteRequest, signal: AbortSignal): AsyncGenerator<Buffer> {
  const layout = new ZipLayout();
  const blocks = new BlockBuffer();
  for await (const piece of inOrder(zipSteps(request), packingWindow(request.concurrency), signal)) {
    for (const part of layout.emit(piece)) blocks.add(part);
    yield* blocks.takeFull();
  }
  for (const record of layout.finish()) {
    blocks.add(record);
    yield* blocks.takeFull();
  }
  yield* blocks.takeAll();
}

function* zipSteps(request: WriteRequest): Generator<Step<Piece>> {
  const level = deflateLevels[request.level];
  for (const entry of request.entries) {
    switch (entry.facts.kind) {
      case 'file':
        yield* fileSteps(request, entry, level);
        break;
      case 'directory':
        yield { run: () => stored(entry, Buffer.alloc(0)), weight: 1024 };
        break;
      case 'symlink':
        yield { run: () => stored(entry, readLinkTarget(pathBelow(request.root, entry.path))), weight: 1024 };
        break;
      case 'special':
        request.problem(`File ignored: ${entry.path}`);
        break;
    }
  }
}

function* fileSteps(request: WriteRequest, listed: SelectedEntry, level: number): Generator<Step<Piece>> {
  const source = openSource(request.root, listed.path, request.problem);
  if (source === undefined) return;
  // What is written about the file is what was opened, not what was listed some time ago.
  const entry = { path: listed.path, facts: source.opened.facts };
  if (source.isWhole) yield { run: () => wholeFile(entry, source, level), weight: source.weight };
  else yield* largeFileSteps(entry, source, level);
}

function* largeFileSteps(entry: SelectedEntry, source: SourceFile, level: number): Generator<Step<Piece>> {
  let isHandedOut = false;
  try {
    yield { run: () => ({ kind: 'start', entry, method: level === 0 ? methodStore : methodDeflate }), weight: 0 };
    for (let index = 0; index < source.chunkCount; index += 1) {
      yield {
        run: async () => ({ kind: 'chunk', chunk: await source.packChunk(index, level) }),
        weight: source.weight,
      };
    }
    isHandedOut = true;
    yield { run: () => ({ kind: 'end' }), weight: 0 };
  } finally {
    // Stopped half way: the chunks still to come will not be read.
    if (!isHandedOut) source.close();
  }
}

function wholeFile(entry: SelectedEntry, source: SourceFile, level: number): Piece | Promise<Piece> {
  const raw = source.readWhole();
  if (level === 0 || raw.length === 0) return stored(entry, raw);
  const packed = deflateChunk(raw, { level, isLast: true });
  const finish = (data: Buffer): Piece =>
    data.length < raw.length
      ? { kind: 'whole', entry, chunk: { raw, packed: data }, method: methodDeflate }
      : stored(entry, raw);
  return packed instanceof Promise ? packed.then(finish) : finish(packed);
}

function stored(entry: SelectedEntry, data: Buffer): Piece {
  return { kind: 'whole', entry, chunk: { raw: data, packed: data }, method: methodStore };
}

/** Knows where everything is and gathers the central directory. */
class ZipLayout {
  #offset = 0;
  readonly #central: Buffer[] = [];
  #open: { readonly entry: SelectedEntry; readonly header: EntryHeader; readonly offset: number } | undefined;
  #crc = 0;
  #rawBytes = 0;
  #packedBytes = 0;

  emit(piece: Piece): readonly Buffer[] {
    switch (piece.kind) {
      case 'whole':
        return this.#whole(piece.entry, piece.chunk, piece.method);
      case 'start':
        return this.#start(piece.entry, piece.method);
      case 'chunk':
        return this.#chunk(piece.chunk);
      case 'end':
        return this.#end();
    }
  }

  *finish(): Generator<Buffer> {
    const centralOffset = this.#offset;
    let centralBytes = 0;
    for (const record of this.#central) {
      centralBytes += record.length;
      yield record;
    }
    yield endRecords(this.#central.length, centralOffset, centralBytes);
  }

  #whole(entry: SelectedEntry, chunk: PackedChunk, method: number): readonly Buffer[] {
    const { raw, packed } = chunk;
    const header = {
      ...headerOf(entry, method),
      crc: raw.length === 0 ? 0 : crc32(raw),
      sizeBytes: raw.length,
      compressedBytes: packed.length,
    };
    const local = localHeader(header);
    this.#list(entry, header, this.#offset);
    this.#offset += local.length + packed.length;
    releaseChunk(chunk);
    return packed.length === 0 ? [local] : [local, packed];
  }

  #start(entry: SelectedEntry, method: number): readonly Buffer[] {
    const base = headerOf(entry, method);
    const header = { ...base, flags: base.flags | flagDescriptor, isZip64: entry.facts.sizeBytes >= zip64FromBytes };
    this.#open = { entry, header, offset: this.#offset };
    this.#crc = 0;
    this.#rawBytes = 0;
    this.#packedBytes = 0;
    const local = localHeader(header);
    this.#offset += local.length;
    return [local];
  }

  #chunk(chunk: PackedChunk): readonly Buffer[] {
    const { raw, packed } = chunk;
    this.#crc = crc32(raw, this.#crc);
    this.#rawBytes += raw.length;
    this.#packedBytes += packed.length;
    this.#offset += packed.length;
    releaseChunk(chunk);
    return [packed];
  }

  #end(): readonly Buffer[] {
    if (this.#open === undefined) throw new Error('no entry is open');
    const { entry, header, offset } = this.#open;
    const final = { ...header, crc: this.#crc, sizeBytes: this.#rawBytes, compressedBytes: this.#packedBytes };
    const descriptor = dataDescriptor(final);
    this.#list(entry, final, offset);
    this.#offset += descriptor.length;
    this.#open = undefined;
    return [descriptor];
  }

  #list(entry: SelectedEntry, header: EntryHeader, offset: number): void {
    const isDirectory = entry.facts.kind === 'directory';
    this.#central.push(centralHeader(header, { mode: entry.facts.mode, isDirectory, offset }));
  }
}

function headerOf(entry: SelectedEntry, method: number): EntryHeader {
  const bytes = pathBytes(entry.facts.kind === 'directory' ? `${entry.path}/` : entry.path);
  const isAscii = bytes.every((byte) => byte < 0x80);
  return {
    name: bytes,
    flags: !isAscii && isUtf8(bytes) ? flagUtf8 : 0,
    method,
    crc: 0,
    compressedBytes: 0,
    sizeBytes: 0,
    modifiedMs: entry.facts.modifiedMs,
    uid: Math.min(limit32, Math.max(0, entry.facts.uid)),
    gid: Math.min(limit32, Math.max(0, entry.facts.gid)),
    isZip64: false,
  };
}
