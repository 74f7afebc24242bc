import { posix } from 'node:path';
import { createZstdDecompress, type ZstdDecompress } from 'node:zlib';
import { errorMessage } from '../../lib/errors.ts';
import { appendToFile, linkFile, type OpenNewFile, openNewFile, writeNewFile } from '../../platform/batch-files.ts';
import { finishFile, makeOneDirectory, removeFile } from '../../platform/file-extraction.ts';
import { streamFile } from '../../platform/staged-file.ts';
import { ArchiveError } from '../archive-error.ts';
import { pathBelow, pathText } from '../archive-path.ts';
import { entryPath } from '../extract/entry-path.ts';
import type { ExtractedEntry } from '../extract/extraction.ts';
import { type ArchivedMetadata, ownedMetadata } from '../extract/owned-metadata.ts';
import { damagedTar, shownName, type TarHeader } from '../tar/tar-header.ts';
import { TarParser, type TarVisitor } from '../tar/tar-parser.ts';
import { ZstdFrames } from '../tar/zstd-frames.ts';
import type { UnpackTarTask } from './tasks.ts';

export interface UnpackedTar {
  readonly entries: readonly TarEntry[];
}

/** What was unpacked. Directories are there without their metadata, links are not there yet. */
export interface TarEntry extends ExtractedEntry {
  readonly uid: number;
  readonly gid: number;
  readonly linkText: Uint8Array | undefined;
}

/**
 * Unpacks a tar archive compressed with zstd into an empty folder.
 * @throws ArchiveError for a damaged, hostile or too large archive.
 */
export async function unpackTar(task: UnpackTarTask): Promise<UnpackedTar> {
  const unpacking = new TarUnpacking(task);
  try {
    const parser = new TarParser(unpacking);
    await decompress(task.archive, parser);
    parser.finish();
    return { entries: unpacking.entries() };
  } finally {
    unpacking.close();
  }
}

/** Up to the end of the frame in which the tar ends: the Go runner writes a few bytes too many behind it. */
async function decompress(archive: string, parser: TarParser): Promise<void> {
  const sink = (piece: Buffer): void => parser.push(piece);
  const frames = new ZstdFrames();
  let frame: FrameDecoder | undefined;
  try {
    for await (const piece of streamFile(archive)) {
      for (const { bytes, isEnd } of frames.split(piece as Buffer)) {
        frame ??= new FrameDecoder(sink);
        if (bytes.length > 0) await frame.write(bytes);
        if (!isEnd) continue;
        await frame.end();
        frame = undefined;
        if (parser.isEnded) return;
      }
    }
  } finally {
    frame?.destroy();
  }
  if (!frames.isBetweenFrames) throw damagedTar('it is cut off');
}

/** Decompresses one frame; what comes out goes to the sink at once, so that nothing piles up. */
class FrameDecoder {
  readonly #decoder: ZstdDecompress = createZstdDecompress({ chunkSize: 256 * 1024 });
  readonly #closed: Promise<void>;
  #failure: { readonly error: unknown } | undefined;

  constructor(sink: (piece: Buffer) => void) {
    this.#closed = new Promise((resolve) => {
      this.#decoder.once('close', resolve);
    });
    this.#decoder.on('data', (piece: Buffer) => {
      if (this.#failure !== undefined) return;
      try {
        sink(piece);
      } catch (error) {
        this.#failure = { error };
        this.#decoder.destroy();
      }
    });
    this.#decoder.on('error', (error) => {
      this.#failure ??= { error: new ArchiveError(`tarzstd: damaged: ${error.message}`, { cause: error }) };
    });
  }

  async write(bytes: Buffer): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#decoder.write(bytes, () => resolve());
    // A stream that was destroyed may owe its callbacks.
    await Promise.race([promise, this.#closed]);
    this.#throwFailure();
  }

  async end(): Promise<void> {
    this.#decoder.end();
    await this.#closed;
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  destroy(): void {
    this.#decoder.destroy();
  }
}

class TarUnpacking implements TarVisitor {
  readonly #task: UnpackTarTask;
  readonly #seen = new Map<string, TarEntry | 'parent'>([['.', 'parent']]);
  #count = 0;
  #totalBytes = 0;
  #open: { readonly path: string; readonly entry: TarEntry; file: OpenNewFile | undefined } | undefined;

  constructor(task: UnpackTarTask) {
    this.#task = task;
  }

  entries(): readonly TarEntry[] {
    return [...this.#seen.values()].filter((entry) => entry !== 'parent');
  }

  close(): void {
    this.#open?.file?.abandon();
  }

  entry(header: TarHeader): void {
    this.#checkLimits(header);
    const path = entryPath(pathText(header.name), this.#task.target, process.platform === 'win32');
    if (header.kind === 'special') return;
    const kind = header.kind === 'hardLink' ? 'file' : header.kind;
    const entry: TarEntry = {
      path,
      kind,
      mode: header.mode,
      sizeBytes: kind === 'file' ? header.sizeBytes : header.linkName.length,
      modifiedMs: header.modifiedMs,
      uid: header.uid,
      gid: header.gid,
      linkText: kind === 'symlink' ? header.linkName : undefined,
    };
    const earlier = this.#claim(path, entry);
    this.#wrap(path, () => {
      if (header.kind === 'directory' && earlier === undefined) makeOneDirectory(this.#place(path));
      if (kind === 'file' && earlier !== undefined) removeFile(this.#place(path));
      if (header.kind === 'hardLink') this.#link(path, entry, header.linkName);
    });
    this.#open = header.kind === 'file' ? { path, entry, file: undefined } : undefined;
    if (this.#open !== undefined && header.sizeBytes === 0) this.#write(path, entry, Buffer.alloc(0));
  }

  content(part: Buffer): void {
    const open = this.#open;
    if (open === undefined) return;
    if (open.file === undefined && part.length === open.entry.sizeBytes) this.#write(open.path, open.entry, part);
    else {
      this.#wrap(open.path, () => {
        open.file ??= openNewFile(this.#place(open.path));
        appendToFile(open.file, part);
      });
    }
  }

  end(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open?.file === undefined) return;
    const { descriptor } = open.file;
    const nowMs = this.#task.writing.nowSeconds * 1000;
    this.#wrap(open.path, () => finishFile(descriptor, ownedMetadata(open.entry), nowMs));
  }

  #checkLimits({ sizeBytes, kind }: TarHeader): void {
    const { maxEntries, maxTotalBytes } = this.#task.limits;
    this.#count += 1;
    if (kind === 'file') this.#totalBytes += sizeBytes;
    if (this.#count > maxEntries)
      throw new ArchiveError(`the archive has more entries than the limit of ${maxEntries}`);
    if (this.#totalBytes > maxTotalBytes) {
      throw new ArchiveError(`the archive unpacks to more bytes than the limit of ${maxTotalBytes}`);
    }
  }

  /** Notes an entry, its parents made. @returns what was there under its path, of the same kind. */
  #claim(path: string, entry: TarEntry): TarEntry | 'parent' | undefined {
    if (path === '.' && entry.kind !== 'directory') throw new ArchiveError('the archive has the target as a file');
    this.#addParents(path, posix.dirname(path));
    const earlier = this.#seen.get(path);
    const earlierKind = earlier === 'parent' ? 'directory' : earlier?.kind;
    if (earlierKind !== undefined && earlierKind !== entry.kind) {
      throw new ArchiveError(`the archive has "${path}" as two different things`);
    }
    this.#seen.set(path, entry);
    return earlier;
  }

  #addParents(path: string, parent: string): void {
    const known = this.#seen.get(parent);
    if (known === 'parent' || known?.kind === 'directory') return;
    if (known !== undefined) {
      throw new ArchiveError(`the archive has "${path}" below "${parent}", which is no directory`);
    }
    this.#addParents(path, posix.dirname(parent));
    this.#wrap(path, () => makeOneDirectory(this.#place(parent)));
    this.#seen.set(parent, 'parent');
  }

  #link(path: string, entry: TarEntry, linkName: Buffer): void {
    const to = entryPath(pathText(linkName), this.#task.target, process.platform === 'win32');
    const original = this.#seen.get(to);
    if (to === path || original === undefined || original === 'parent' || original.kind !== 'file') {
      throw new Error(`it is a hard link to "${shownName(linkName)}", which is no file before it in the archive`);
    }
    linkFile(this.#place(to), this.#place(path));
    this.#seen.set(path, { ...original, path: entry.path });
  }

  #write(path: string, entry: TarEntry & ArchivedMetadata, content: Buffer): void {
    this.#wrap(path, () => writeNewFile(this.#place(path), content, ownedMetadata(entry), this.#task.writing));
  }

  #place(path: string) {
    return pathBelow(this.#task.root, path);
  }

  #wrap(path: string, action: () => void): void {
    try {
      action();
    } catch (error) {
      throw new ArchiveError(`cannot extract "${path}": ${errorMessage(error)}`, { cause: error });
    }
  }
}
