import { constants, zstdCompressSync } from 'node:zlib';
import { currentUmask } from '../../platform/unpack-folder.ts';
import { ArchiveError } from '../archive-error.ts';
import type { ArchiveFormat, ExtractRequest, WriteRequest } from '../archive-format.ts';
import { pathBytes } from '../archive-path.ts';
import type { ExtractedEntry } from '../extract/extraction.ts';
import { ExtractionTree } from '../extract/extraction-tree.ts';
import type { SelectedEntry } from '../selection/selected-entry.ts';
import { openSource } from '../stream/file-chunks.ts';
import { inOrder, type Step } from '../stream/in-order.ts';
import { portionsOf } from '../stream/portions.ts';
import { zstdFile } from '../stream/zstd-file.ts';
import { type ArchiveThreads, openThreads } from '../workers/archive-threads.ts';
import { encodeFacts } from '../workers/tasks.ts';
import type { UnpackedTar } from '../workers/unpack-tar.ts';
import { zstdLevels } from '../zip/zip-levels.ts';
import { blockBytes, paddingOf, tarHeader } from './tar-header.ts';

/**
 * A POSIX tar as a sequence of zstd frames (spec cache-artifacts.md §3.5), one for each batch of files and each large
 * file: so frames are made in parallel, and any reader takes them as one stream.
 */
export const tarzstdFormat: ArchiveFormat = {
  name: 'tarzstd',
  fileExtension: '.tar.zst',
  write: writeTar,
  extract: extractTar,
};

/** Larger batches than in a ZIP: the files of one share a window. */
const batchBytes = 1024 * 1024;

type Piece =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'large'; readonly entry: SelectedEntry };

async function* writeTar(request: WriteRequest, signal: AbortSignal): AsyncGenerator<Buffer> {
  const bytes = request.entries.reduce((sum, { facts }) => sum + facts.sizeBytes, 0);
  const threads = openThreads(request.concurrency, { entries: request.entries.length, bytes });
  const window = { weight: threads.size * 5 * 1024 * 1024, count: threads.size * 3 };
  const level = zstdLevels[request.level];
  try {
    for await (const piece of inOrder(tarSteps(request, level, threads), window, signal)) {
      if (piece.kind === 'bytes') yield piece.bytes;
      else yield* largeFile(request, piece.entry, level);
    }
    yield frameOf(Buffer.alloc(2 * blockBytes), level);
  } finally {
    await threads.close();
  }
}

function* tarSteps(request: WriteRequest, level: number, threads: ArchiveThreads): Generator<Step<Piece>> {
  for (const portion of portionsOf(request.entries, batchBytes)) {
    if (portion.kind === 'large') yield { run: () => portion, weight: 0 };
    else yield { run: () => packBatch(request, portion.entries, level, threads), weight: 2 * portion.bytes };
  }
}

async function packBatch(
  { root, problem }: WriteRequest,
  entries: readonly SelectedEntry[],
  level: number,
  threads: ArchiveThreads,
): Promise<Piece> {
  const { body, bodyBytes, problems } = await threads.pack({
    kind: 'packTar',
    root,
    paths: entries.map(({ path }) => path),
    facts: encodeFacts(entries),
    compression: { codec: 'zstd', level },
  });
  for (const message of problems) problem(message);
  return { kind: 'bytes', bytes: Buffer.from(body.buffer, body.byteOffset, bodyBytes) };
}

async function* largeFile(request: WriteRequest, { path }: SelectedEntry, level: number): AsyncGenerator<Buffer> {
  const source = openSource(request.root, path, request.problem);
  if (source === undefined) return;
  const { facts } = source.opened;
  yield frameOf(tarHeader({ ...facts, kind: 'file', name: pathBytes(path), linkName: Buffer.alloc(0) }), level);
  let readBytes = 0;
  const seen = (raw: Buffer): void => {
    readBytes += raw.length;
  };
  yield* zstdFile(source, { level, seen });
  // The header has gone out: nothing else can be done about it.
  if (readBytes !== facts.sizeBytes) throw new ArchiveError(`"${path}" became smaller while it was archived`);
  const padding = paddingOf(facts.sizeBytes);
  if (padding > 0) yield frameOf(Buffer.alloc(padding), level);
}

function frameOf(bytes: Buffer, level: number): Buffer {
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 };
  return zstdCompressSync(bytes, { params });
}

async function extractTar(request: ExtractRequest, signal: AbortSignal): Promise<readonly ExtractedEntry[]> {
  signal.throwIfAborted();
  // A tar is one stream: one thread unpacks it, or this one where the archive is small.
  const threads = openThreads(1, { entries: 1, bytes: request.file.sizeBytes });
  try {
    const tree = new ExtractionTree(request.target, Date.now());
    try {
      const { entries } = await untilAborted(unpack(request, tree.root, threads), signal);
      for (const entry of entries) {
        if (entry.kind === 'directory') tree.noteDirectory(entry.path, entry);
        if (entry.linkText !== undefined) tree.addLink(entry.path, Buffer.from(entry.linkText), entry);
      }
      tree.finish();
      return entries;
    } finally {
      // The thread goes first: it must not write any more.
      await threads.close();
      await tree.close();
    }
  } finally {
    await threads.close();
  }
}

function unpack(request: ExtractRequest, root: string, threads: ArchiveThreads): Promise<UnpackedTar> {
  return threads.unpackTar({
    kind: 'unpackTar',
    archive: request.file.path,
    root,
    target: request.target,
    limits: request.limits,
    writing: { umask: currentUmask(), nowSeconds: Date.now() / 1000 },
  });
}

/** The thread is ended by the caller. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
