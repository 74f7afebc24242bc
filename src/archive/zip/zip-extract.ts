import { setImmediate } from 'node:timers/promises';
import { writeAll, writeAllNow } from '../../platform/file-extraction.ts';
import { ArchiveError } from '../archive-error.ts';
import type { ExtractedEntry } from '../extract/extraction.ts';
import { ExtractionTree } from '../extract/extraction-tree.ts';
import type { ExtractRequest } from '../format.ts';
import { smallEntryBytes, streamEntry, ZipDataReader } from './zip-data.ts';
import { readZipDirectory, type ZipEntry } from './zip-directory.ts';
import { type PlannedEntry, planExtraction } from './zip-plan.ts';

/** Bytes written in one go between two breaths of the event loop. */
const breathBytes = 4 * 1024 * 1024;
/** What opening and closing one file counts as. */
const entryCost = 16 * 1024;

/** Unpacks a ZIP archive (spec cache-artifacts.md §3.4); see `ArchiveFormat.extract`. */
export async function extractZip(request: ExtractRequest, signal: AbortSignal): Promise<readonly ExtractedEntry[]> {
  const directory = readZipDirectory(request.file, request.limits.maxEntries);
  const planned = planExtraction(directory, request.target, request.limits);
  await new ZipExtraction(request, signal).run(planned);
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
  readonly #signal: AbortSignal;
  readonly #tree: ExtractionTree;
  readonly #reader: ZipDataReader;
  readonly #large = new Set<Promise<void>>();
  /** Stops the other large files when one fails. */
  readonly #stop = new AbortController();
  #failure: { readonly error: unknown } | undefined;
  #sinceBreath = 0;

  constructor(request: ExtractRequest, signal: AbortSignal) {
    this.#request = request;
    this.#signal = signal;
    this.#tree = new ExtractionTree(request.target, Date.now());
    this.#reader = new ZipDataReader(request.file);
  }

  async run(planned: readonly PlannedEntry[]): Promise<void> {
    try {
      for (const { path, entry } of planned) {
        this.#signal.throwIfAborted();
        if (this.#failure !== undefined) break;
        await this.#add(path, entry);
      }
    } catch (error) {
      this.#fail(error);
    }
    await Promise.all(this.#large);
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#tree.finish();
  }

  async #add(path: string, entry: ZipEntry): Promise<void> {
    if (entry.kind === 'directory') this.#tree.addDirectory(path, entry);
    else if (Math.max(entry.sizeBytes, entry.compressedBytes) <= smallEntryBytes) this.#addSmall(path, entry);
    else if (entry.kind === 'symlink') throw new ArchiveError(`the text of link "${path}" is too long`);
    else await this.#startLarge(path, entry);
    if (this.#sinceBreath >= breathBytes) {
      this.#sinceBreath = 0;
      await setImmediate();
    }
  }

  #addSmall(path: string, entry: ZipEntry): void {
    this.#sinceBreath += entryCost + entry.sizeBytes;
    const content = this.#reader.readSmall(entry);
    if (entry.kind === 'symlink') {
      this.#tree.addLink(path, Buffer.from(content), entry);
      return;
    }
    const descriptor = this.#tree.createFile(path);
    try {
      writeAllNow(descriptor, content);
    } catch (error) {
      this.#tree.abandonFile(descriptor);
      throw error;
    }
    this.#tree.finishFile(path, descriptor, entry);
  }

  async #startLarge(path: string, entry: ZipEntry): Promise<void> {
    while (this.#large.size >= this.#request.concurrency) await Promise.race(this.#large);
    const dataStart = this.#reader.dataStart(entry);
    const descriptor = this.#tree.createFile(path);
    const unpacking = this.#unpackLarge(path, entry, dataStart, descriptor)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#large.delete(unpacking));
    this.#large.add(unpacking);
  }

  async #unpackLarge(path: string, entry: ZipEntry, dataStart: number, descriptor: number): Promise<void> {
    try {
      const signal = AbortSignal.any([this.#signal, this.#stop.signal]);
      await streamEntry(this.#request.file, entry, dataStart, (piece) => writeAll(descriptor, piece), signal);
    } catch (error) {
      this.#tree.abandonFile(descriptor);
      throw error;
    }
    this.#tree.finishFile(path, descriptor, entry);
  }

  /** The first failure counts. */
  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stop.abort(error);
  }
}
