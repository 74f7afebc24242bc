import { basename, dirname, extname } from 'node:path';
import type { LogFields } from '../observability/logger.ts';
import {
  createStagedFile,
  inspectFile,
  makeParentDirectory,
  removeLeftovers,
  type StagedFile,
} from '../platform/staged-file.ts';
import type { OpenRemote, RemoteBytes } from '../transfer/remote-bytes.ts';
import { RemoteChangedError, RemoteDownload } from '../transfer/remote-download.ts';
import { recordRemote } from './cache-manifest.ts';
import { type CacheMetadata, writeCacheMetadata } from './cache-metadata.ts';
import type { CacheTransfer } from './cache-transfer.ts';

/** A remote cache archive, found and described. */
export interface RemoteArchive {
  /** For the log: without what gives access. */
  readonly shownUrl: string;
  readonly etag: string;
  readonly modifiedMs: number | undefined;
  readonly metadata: CacheMetadata;
  readonly totalBytes: number | undefined;
  readonly open: OpenRemote;
}

const stallMs = 120_000;
/** Nothing is written to a file of a transfer that still runs for longer than requests may take. */
const abandonedMs = 3_600_000;
const stagedNames = /^(?:cache|archive_|manifest_|text_)[0-9a-f]{16}$/;

/** Removes what killed commands left beside an archive. */
export async function removeAbandoned(archivePath: string): Promise<void> {
  await removeLeftovers(dirname(archivePath), stagedNames, abandonedMs);
}

interface Staged {
  readonly file: StagedFile;
  readonly download: RemoteDownload;
}

/** Brings a remote archive to its local file, over several tries; the file that is there stays until the end. */
export class ArchiveDownload {
  readonly #path: string;
  readonly #transfer: CacheTransfer;
  #staged: Staged | undefined;
  #remote: RemoteArchive | undefined;
  #add: (bytes: number) => void = () => {};

  constructor(archivePath: string, transfer: CacheTransfer) {
    this.#path = archivePath;
    this.#transfer = transfer;
  }

  /** @param first the answer the object begins with. @throws as `RemoteDownload.begin`. */
  async begin(remote: RemoteArchive, first: RemoteBytes, signal: AbortSignal): Promise<void> {
    this.#remote = remote;
    this.#announce(remote, first.end !== first.totalBytes);
    await this.#run(remote, (download) => download.begin(first, remote.open, signal));
  }

  /** Goes on where the last try stopped. @returns whether that could be: the download has to begin anew otherwise. */
  async resume(signal: AbortSignal): Promise<boolean> {
    const remote = this.#remote;
    if (remote === undefined || this.#staged?.download.canResume !== true) return false;
    this.#announce(remote, false);
    try {
      await this.#run(remote, (download) => download.resume(remote.open, signal));
      return true;
    } catch (error) {
      if (error instanceof RemoteChangedError) return false;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#staged?.file.discard();
    this.#staged = undefined;
  }

  async #run(remote: RemoteArchive, fetch: (download: RemoteDownload) => Promise<void>): Promise<void> {
    const { file, download } = this.#staged ?? (await this.#stage());
    const progress = this.#transfer.progress('Downloading cache', remote.totalBytes);
    this.#add = (bytes) => progress.add(bytes);
    progress.add(download.doneBytes);
    try {
      await fetch(download);
    } finally {
      progress.end();
    }
    // No fsync: what a power cut leaves half-written fails its checksums when it is unpacked.
    await file.commit(this.#path, remote.modifiedMs);
    await writeCacheMetadata(this.#path, remote.metadata);
    await recordRemote(this.#path, remote.etag, inspectFile(this.#path));
  }

  async #stage(): Promise<Staged> {
    makeParentDirectory(this.#path);
    await removeAbandoned(this.#path);
    const file = await createStagedFile(dirname(this.#path), 'cache');
    this.#staged = { file, download: new RemoteDownload(file, this.#settings()) };
    return this.#staged;
  }

  #settings() {
    const { chunkBytes, concurrency, bufferBytes } = this.#transfer;
    return {
      chunkBytes,
      concurrency,
      bufferBytes: Math.max(65_536, Math.floor(bufferBytes / concurrency)),
      stallMs,
      onBytes: (count: number) => this.#add(count),
    };
  }

  #announce(remote: RemoteArchive, isParallel: boolean): void {
    const name = basename(this.#path, extname(this.#path));
    const fields: LogFields = remote.etag === '' ? {} : { etag: remote.etag };
    this.#transfer.log.info(`Downloading ${name} from ${remote.shownUrl}${isParallel ? ' (parallel)' : ''}`, fields);
  }
}
