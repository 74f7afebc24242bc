import { writeAll } from '../../platform/file-extraction.ts';
import { currentUmask } from '../../platform/unpack-folder.ts';
import { ArchiveError } from '../archive-error.ts';
import type { ExtractRequest } from '../archive-format.ts';
import type { ExtractedEntry } from '../extract/extraction.ts';
import { ExtractionTree } from '../extract/extraction-tree.ts';
import { ownedMetadata } from '../extract/owned-metadata.ts';
import { inOrder, type Step } from '../stream/in-order.ts';
import { type ArchiveThreads, openThreads } from '../workers/archive-threads.ts';
import { encodeFiles } from '../workers/tasks.ts';
import { linkTextLimit, readSmall, startOfData, streamEntry } from './zip-data.ts';
import { readZipDirectory, type ZipDirectory, type ZipEntry } from './zip-directory.ts';
import { type PlannedEntry, planExtraction } from './zip-plan.ts';

/** Larger entries are unpacked piece by piece. */
const largestWholeBytes = 4 * 1024 * 1024;
const batchBytes = 640 * 1024;
const batchEntries = 192;

/** Unpacks a ZIP archive (spec cache-artifacts.md §3.4); see `ArchiveFormat.extract`. */
export async function extractZip(request: ExtractRequest, signal: AbortSignal): Promise<readonly ExtractedEntry[]> {
  const directory = readZipDirectory(request.file, request.limits.maxEntries);
  const planned = planExtraction(directory, request.target, request.limits);
  const bytes = planned.reduce((sum, { entry }) => sum + Math.max(entry.sizeBytes, entry.compressedBytes), 0);
  const threads = openThreads(request.concurrency, { entries: planned.length, bytes });
  try {
    const tree = new ExtractionTree(request.target, Date.now());
    try {
      await new ZipExtraction(request, directory, tree, threads).run(planned, signal);
    } finally {
      await tree.close();
    }
  } finally {
    await threads.close();
  }
  return planned.map(({ path, entry }) => ({
    path,
    kind: entry.kind,
    mode: entry.mode,
    sizeBytes: entry.kind === 'directory' ? 0 : entry.sizeBytes,
    modifiedMs: entry.modifiedMs,
  }));
}

class ZipExtraction {
  readonly #request: ExtractRequest;
  readonly #directory: ZipDirectory;
  readonly #tree: ExtractionTree;
  readonly #threads: ArchiveThreads;
  readonly #writing = { umask: currentUmask(), nowSeconds: Date.now() / 1000 };

  constructor(request: ExtractRequest, directory: ZipDirectory, tree: ExtractionTree, threads: ArchiveThreads) {
    this.#request = request;
    this.#directory = directory;
    this.#tree = tree;
    this.#threads = threads;
  }

  async run(planned: readonly PlannedEntry[], signal: AbortSignal): Promise<void> {
    // Stops the large files when something fails.
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const window = { weight: this.#threads.size * 4 * 1024 * 1024, count: this.#threads.size * 3 };
    try {
      await runAll(inOrder(this.#steps(planned, either), window, signal));
    } catch (error) {
      stop.abort(error);
      throw error;
    }
    this.#tree.finish();
  }

  *#steps(planned: readonly PlannedEntry[], signal: AbortSignal): Generator<Step<void>> {
    let batch: PlannedEntry[] = [];
    let bytes = 0;
    const flush = (next: PlannedEntry | undefined): Step<void> => {
      const [files, weight] = [batch, bytes];
      batch = [];
      bytes = 0;
      const end = next?.entry.offset ?? this.#directory.start;
      return { run: () => this.#unpackBatch(files, end), weight: 64 * 1024 + 2 * weight };
    };
    for (const item of planned) {
      const { path, entry } = item;
      if (entry.kind === 'directory') this.#tree.addDirectory(path, entry);
      else if (entry.kind === 'symlink') this.#addLink(path, entry);
      else {
        const size = Math.max(entry.sizeBytes, entry.compressedBytes);
        this.#tree.addParent(path);
        if (batch.length > 0 && (bytes + size > batchBytes || batch.length === batchEntries)) yield flush(item);
        if (size > largestWholeBytes) {
          yield { run: () => this.#unpackLarge(path, entry, signal), weight: 1024 * 1024 };
        } else {
          batch.push(item);
          bytes += size;
        }
      }
    }
    if (batch.length > 0) yield flush(undefined);
  }

  #addLink(path: string, entry: ZipEntry): void {
    if (entry.sizeBytes > linkTextLimit) throw new ArchiveError(`the text of link "${path}" is too long`);
    this.#tree.addLink(path, readSmall(this.#request.file, entry), entry);
  }

  async #unpackBatch(files: readonly PlannedEntry[], end: number): Promise<void> {
    await this.#threads.unpackZip({
      kind: 'unpackZip',
      descriptor: this.#request.file.descriptor,
      end,
      root: this.#tree.root,
      paths: files.map(({ path }) => path),
      numbers: encodeFiles(files.map(({ entry }) => ({ ...entry, ...ownedMetadata(entry) }))),
      writing: this.#writing,
    });
  }

  async #unpackLarge(path: string, entry: ZipEntry, signal: AbortSignal): Promise<void> {
    const dataStart = startOfData(this.#request.file, entry);
    const descriptor = this.#tree.createFile(path);
    try {
      await streamEntry(this.#request.file, entry, dataStart, (piece) => writeAll(descriptor, piece), signal);
    } catch (error) {
      this.#tree.abandonFile(descriptor);
      throw error;
    }
    this.#tree.finishFile(path, descriptor, entry);
  }
}

async function runAll(steps: AsyncIterator<unknown>): Promise<void> {
  for (let step = await steps.next(); step.done !== true; ) step = await steps.next();
}
