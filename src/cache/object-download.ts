import { basename } from 'node:path';
import { AbortReason } from '../lib/abort.ts';
import { errorMessage } from '../lib/errors.ts';
import type { OpenRemote, RemoteBytes } from '../transfer/remote-bytes.ts';
import { RemoteChangedError } from '../transfer/remote-download.ts';
import { ArchiveDownload } from './archive-download.ts';
import type { CacheTransfer, RepeatedTransfer } from './cache-transfer.ts';
import { ObjectChangedError } from './object-errors.ts';
import { type ObjectPlace, type ObjectStoreAccess, openPlace } from './object-place.ts';
import type { ObjectFacts } from './object-store.ts';
import { isLocalCurrent } from './up-to-date.ts';

export interface ObjectSource {
  readonly url: string;
  /** Empty = none. */
  readonly alternateUrl: string;
}

interface FoundObject {
  readonly place: ObjectPlace;
  readonly facts: ObjectFacts;
}

/**
 * Brings a cache from an object store to its local file, unless that is as new (spec cache-artifacts.md §8.4). A cache
 * that is not there leaves the local file as it is.
 */
export function objectDownload(
  source: ObjectSource,
  archivePath: string,
  access: ObjectStoreAccess,
  transfer: CacheTransfer,
): RepeatedTransfer {
  const download = new ArchiveDownload(archivePath, transfer);
  const begin = async (signal: AbortSignal): Promise<void> => {
    const found = await choose(source, access, transfer, signal);
    if (found === undefined) return;
    const { place, facts } = found;
    if (await isLocalCurrent(archivePath, facts)) {
      transfer.log.info(`${basename(archivePath)} is up to date`);
      return;
    }
    const open = openObject(found);
    const isSplit = transfer.concurrency > 1 && facts.sizeBytes > transfer.chunkBytes && validatorOf(facts) !== '';
    const wanted = { start: 0, end: transfer.chunkBytes, validator: validatorOf(facts) };
    const first = await open(isSplit ? wanted : undefined, signal);
    const { etag, modifiedMs, metadata, sizeBytes: totalBytes } = facts;
    await download.begin({ shownUrl: place.shownUrl, etag, modifiedMs, metadata, totalBytes, open }, first, signal);
  };
  return {
    attempt: async (signal) => {
      transfer.log.info('Using GoCloud URL for cache download');
      if (!(await download.resume(signal))) await begin(signal);
    },
    close: () => download.close(),
  };
}

/** The newer of the two objects; undefined = neither is there. */
async function choose(
  source: ObjectSource,
  access: ObjectStoreAccess,
  transfer: CacheTransfer,
  signal: AbortSignal,
): Promise<FoundObject | undefined> {
  const place = await openPlace(source.url, access, transfer, signal);
  const facts = await place.store.head(place.name, signal);
  const primary = facts === undefined ? undefined : { place, facts };
  if (source.alternateUrl === '') return primary;
  const alternate = await findAlternate(source.alternateUrl, access, transfer, signal);
  if (alternate !== undefined && primary === undefined) {
    transfer.log.info('Selecting alternate GoCloud cache: primary not available');
    return alternate;
  }
  if (alternate !== undefined && primary !== undefined && alternate.facts.modifiedMs > primary.facts.modifiedMs) {
    transfer.log.info('Selecting alternate GoCloud cache: newer timestamp');
    return alternate;
  }
  transfer.log.info('Selecting primary GoCloud cache');
  return primary;
}

/** The credentials may be for the primary object only: then the other one counts as absent. */
async function findAlternate(
  url: string,
  access: ObjectStoreAccess,
  transfer: CacheTransfer,
  signal: AbortSignal,
): Promise<FoundObject | undefined> {
  let place: ObjectPlace;
  try {
    place = await openPlace(url, access, transfer, signal);
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    transfer.log.warn('Failed to open alternate GoCloud cache bucket', { error: errorMessage(error) });
    return undefined;
  }
  try {
    const facts = await place.store.head(place.name, signal);
    return facts === undefined ? undefined : { place, facts };
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    return undefined;
  }
}

function openObject({ place, facts }: FoundObject): OpenRemote {
  const etag = validatorOf(facts);
  return async (wanted, signal): Promise<RemoteBytes> => {
    const end = wanted === undefined ? facts.sizeBytes : Math.min(wanted.end ?? facts.sizeBytes, facts.sizeBytes);
    const start = wanted?.start ?? 0;
    const isWhole = start === 0 && end === facts.sizeBytes;
    const request = {
      ...(isWhole ? {} : { range: { start, end } }),
      ...(etag === '' ? {} : { ifMatch: etag }),
    };
    const content = await place.store.get(place.name, request, signal).catch((error: unknown) => {
      throw error instanceof ObjectChangedError ? new RemoteChangedError() : error;
    });
    if (content.facts.sizeBytes !== facts.sizeBytes || (etag !== '' && content.facts.etag !== facts.etag)) {
      content.discard();
      throw new RemoteChangedError();
    }
    const discard = () => content.discard();
    return { isPart: !isWhole, start, end, totalBytes: facts.sizeBytes, validator: etag, body: content.body, discard };
  };
}

/** Only a strong entity tag tells that parts are of one object. */
function validatorOf({ etag }: ObjectFacts): string {
  return etag.startsWith('W/') ? '' : etag;
}
