import type { WriteRequest } from '../archive-format.ts';
import type { SelectedEntry } from '../selection/selected-entry.ts';
import { openSource, type PackedChunk, releaseChunk, type SourceFile } from '../stream/file-chunks.ts';
import { inOrder, type Step } from '../stream/in-order.ts';
import { type Portion, portionsOf } from '../stream/portions.ts';
import { zstdFile } from '../stream/zstd-file.ts';
import { type ArchiveThreads, openThreads } from '../workers/archive-threads.ts';
import { type Compression, encodeFacts, type PackedBatch } from '../workers/tasks.ts';
import { ZipLayout } from './zip-layout.ts';
import { zipCompression } from './zip-levels.ts';

/** What one step contributes; emitted strictly in order. */
type Piece =
  | { readonly kind: 'batch'; readonly batch: PackedBatch }
  | { readonly kind: 'start'; readonly entry: SelectedEntry }
  | { readonly kind: 'chunk'; readonly chunk: PackedChunk }
  /** A file whose pieces are made one after the other, when its turn comes. */
  | { readonly kind: 'stream'; readonly source: SourceFile }
  | { readonly kind: 'end' };

/**
 * Writes a ZIP archive as a stream (spec cache-artifacts.md §3.3): entries in the given order, packed in threads.
 * Files up to four megabytes have their sizes in the header and are stored where compression does not shrink them;
 * larger ones are followed by a data descriptor.
 */
export async function* writeZip(
  request: WriteRequest,
  codec: Compression['codec'],
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const threads = openThreads(request.concurrency, workOf(request.entries));
  const compression = zipCompression(codec, request.level);
  const layout = new ZipLayout(compression);
  // Two batches a thread, one of them waiting for it, and what is finished but not taken.
  const window = { weight: threads.size * 3 * 1024 * 1024, count: threads.size * 3 };
  try {
    for await (const piece of inOrder(zipSteps(request, compression, threads), window, signal)) {
      yield* emit(piece, layout, request, compression);
    }
    yield* layout.finish();
  } finally {
    await threads.close();
  }
}

function workOf(entries: readonly SelectedEntry[]): { readonly entries: number; readonly bytes: number } {
  return { entries: entries.length, bytes: entries.reduce((sum, { facts }) => sum + facts.sizeBytes, 0) };
}

function* zipSteps(request: WriteRequest, compression: Compression, threads: ArchiveThreads): Generator<Step<Piece>> {
  for (const portion of portionsOf(request.entries)) {
    if (portion.kind === 'large') yield* largeFileSteps(request, portion.entry, compression);
    else yield { run: () => packBatch(request, portion, compression, threads), weight: 64 * 1024 + 2 * portion.bytes };
  }
}

async function packBatch(
  { root }: WriteRequest,
  { entries }: Extract<Portion, { kind: 'batch' }>,
  compression: Compression,
  threads: ArchiveThreads,
): Promise<Piece> {
  const paths = entries.map(({ path }) => path);
  const batch = await threads.pack({ kind: 'packZip', root, paths, facts: encodeFacts(entries), compression });
  return { kind: 'batch', batch };
}

function* largeFileSteps(
  request: WriteRequest,
  listed: SelectedEntry,
  { codec, level }: Compression,
): Generator<Step<Piece>> {
  const source = openSource(request.root, listed.path, request.problem);
  if (source === undefined) return;
  let isHandedOut = false;
  try {
    // What is written about the file is what was opened, not what was listed some time ago.
    const entry = { path: listed.path, facts: source.opened.facts };
    yield { run: () => ({ kind: 'start', entry }), weight: 0 };
    if (codec === 'zstd') {
      isHandedOut = true;
      yield { run: () => ({ kind: 'stream', source }), weight: 0 };
    } else {
      for (let index = 0; index < source.chunkCount; index += 1) {
        const run = async (): Promise<Piece> => ({ kind: 'chunk', chunk: await source.packChunk(index, level) });
        yield { run, weight: source.weight };
      }
      isHandedOut = true;
    }
    yield { run: () => ({ kind: 'end' }), weight: 0 };
  } finally {
    // Stopped half way: the chunks still to come will not be read.
    if (!isHandedOut) source.close();
  }
}

async function* emit(
  piece: Piece,
  layout: ZipLayout,
  request: WriteRequest,
  { level }: Compression,
): AsyncGenerator<Buffer> {
  switch (piece.kind) {
    case 'batch':
      for (const problem of piece.batch.problems) request.problem(problem);
      yield layout.batch(piece.batch);
      break;
    case 'start':
      yield layout.start(piece.entry);
      break;
    case 'chunk':
      layout.seen(piece.chunk.raw);
      yield layout.data(piece.chunk.packed);
      releaseChunk(piece.chunk);
      break;
    case 'stream': {
      const settings = { level, seen: (raw: Buffer) => layout.seen(raw) };
      for await (const packed of zstdFile(piece.source, settings)) yield layout.data(packed);
      break;
    }
    case 'end':
      yield layout.end();
      break;
  }
}
