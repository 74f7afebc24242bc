import { basename } from 'node:path';
import { AbortReason } from '../lib/abort.ts';
import { ExternalDependencyError } from '../lib/errors.ts';
import { type FileParts, inspectFile, openFileParts } from '../platform/staged-file.ts';
import { recordRemote } from './cache-manifest.ts';
import type { CacheMetadata } from './cache-metadata.ts';
import type { CacheTransfer, ProgressSink, RepeatedTransfer } from './cache-transfer.ts';
import { type ObjectPlace, type ObjectStoreAccess, openPlace } from './object-place.ts';
import type { ObjectBytes, ObjectStore, PartRules, PartUpload } from './object-store.ts';
import { isRemoteOutdated } from './up-to-date.ts';

/** Whether the archive lies in the store, as far as that can be told; any error counts as no (spec §9.3). */
export async function isStoredObject(
  url: string,
  archivePath: string,
  access: ObjectStoreAccess,
  transfer: CacheTransfer,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const { store, name } = await openPlace(url, access, transfer, signal);
    const facts = await store.head(name, signal);
    return facts !== undefined && !(await isRemoteOutdated(archivePath, facts.etag));
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    return false;
  }
}

/** A large archive on its way in parts. */
interface Parts {
  readonly upload: PartUpload;
  readonly partBytes: number;
  /** By part; undefined = still to be sent. */
  readonly receipts: (string | undefined)[];
}

/** Sends the archive to its object; a large one in parts, of which a later try sends only what is missing. */
export function objectUpload(
  target: { readonly url: string; readonly metadata: CacheMetadata },
  archivePath: string,
  access: ObjectStoreAccess,
  transfer: CacheTransfer,
): RepeatedTransfer {
  let parts: Parts | undefined;
  let file: FileParts | undefined;

  const send = async ({ store, name }: ObjectPlace, progress: ProgressSink, signal: AbortSignal): Promise<void> => {
    file ??= openFileParts(archivePath);
    const properties = { contentType: contentTypeOf(file), metadata: target.metadata };
    if (store.parts === undefined || file.sizeBytes < store.parts.fromBytes) {
      await store.put(name, bytesOf(file, 0, file.sizeBytes, progress), properties, signal);
      return;
    }
    parts ??= await begin(store, store.parts, name, file.sizeBytes, properties, signal);
    await sendParts(parts, file, Math.min(transfer.concurrency, store.parts.mostAtOnce), progress, signal);
    await parts.upload.complete(
      parts.receipts.filter((receipt) => receipt !== undefined),
      signal,
    );
    parts = undefined;
  };

  const begin = async (
    store: ObjectStore,
    rules: PartRules,
    name: string,
    sizeBytes: number,
    properties: Parameters<ObjectStore['startParts']>[1],
    signal: AbortSignal,
  ): Promise<Parts> => {
    const partBytes = partSize(sizeBytes, transfer.chunkBytes, rules);
    const upload = await store.startParts(name, properties, signal);
    return { upload, partBytes, receipts: Array.from({ length: Math.ceil(sizeBytes / partBytes) }, () => undefined) };
  };

  return {
    attempt: async (signal) => {
      transfer.log.info('Using GoCloud URL for cache upload');
      const place = await openPlace(target.url, access, transfer, signal);
      transfer.log.info(`Uploading ${basename(archivePath)} to ${place.shownUrl}`);
      const facts = inspectFile(archivePath);
      if (facts === undefined) throw new ExternalDependencyError(`the cache archive ${archivePath} is gone`);
      const progress = transfer.progress('Uploading cache', facts.sizeBytes);
      try {
        await send(place, progress, signal);
      } finally {
        progress.end();
      }
      // The entity tag of what was stored is told only by asking; credentials for uploads alone may not.
      const stored = await place.store.head(place.name, signal).catch(() => undefined);
      signal.throwIfAborted();
      await recordRemote(archivePath, stored?.sizeBytes === facts.sizeBytes ? stored.etag : '', facts);
    },
    close: async (signal) => {
      file?.close();
      await parts?.upload.abort(signal).catch(() => undefined);
      parts = undefined;
    },
  };
}

/** The wanted size, in whole units and large enough that the parts are not too many. */
export function partSize(sizeBytes: number, wantedBytes: number, { unitBytes, mostParts }: PartRules): number {
  const least = Math.max(wantedBytes, Math.ceil(sizeBytes / mostParts), unitBytes);
  return Math.ceil(least / unitBytes) * unitBytes;
}

async function sendParts(
  { upload, partBytes, receipts }: Parts,
  file: FileParts,
  atOnce: number,
  progress: ProgressSink,
  signal: AbortSignal,
): Promise<void> {
  const missing = receipts.flatMap((receipt, index) => (receipt === undefined ? [index] : []));
  progress.add(Math.min(file.sizeBytes, (receipts.length - missing.length) * partBytes));
  const failures: unknown[] = [];
  const work = async (): Promise<void> => {
    while (failures.length === 0 && !signal.aborted) {
      const index = missing.shift();
      if (index === undefined) return;
      const start = index * partBytes;
      const bytes = bytesOf(file, start, Math.min(start + partBytes, file.sizeBytes), progress);
      try {
        receipts[index] = await upload.putPart(index + 1, bytes, signal);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, missing.length) }, work));
  signal.throwIfAborted();
  if (failures.length > 0) throw failures[0];
}

function bytesOf(file: FileParts, start: number, end: number, progress: ProgressSink): ObjectBytes {
  return {
    sizeBytes: end - start,
    read: async function* read() {
      for await (const piece of file.read(start, end)) {
        yield piece;
        progress.add(piece.length);
      }
    },
  };
}

/** As the Go runner finds it from the first bytes. */
function contentTypeOf(file: FileParts): string {
  return file.head(4).toString('latin1') === 'PK\u0003\u0004' ? 'application/zip' : 'application/octet-stream';
}
