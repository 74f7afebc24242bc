import { basename } from 'node:path';
import { AbortReason } from '../lib/abort.ts';
import type { LogFields } from '../observability/logger.ts';
import { headerOf } from '../platform/http-answer.ts';
import type { HttpResponse } from '../platform/http-message.ts';
import { makeParentDirectory } from '../platform/staged-file.ts';
import { type OpenRemote, partHeaders, remoteBytes, type WantedPart } from '../transfer/remote-bytes.ts';
import { ArchiveDownload, type RemoteArchive } from './archive-download.ts';
import { metadataFromHeaders } from './cache-metadata.ts';
import type { CacheTransfer, RepeatedTransfer } from './cache-transfer.ts';
import { ObjectNotFoundError } from './object-errors.ts';
import { cleanUrl, headPresigned, identity, lastModified, refuse, sendPresigned } from './presigned-request.ts';
import { isLocalCurrent, localEtag } from './up-to-date.ts';

export interface PresignedSource {
  readonly url: string;
  readonly headUrl: string;
  readonly alternateUrl: string;
  readonly alternateHeadUrl: string;
}

/**
 * Brings a remote cache to its local file, unless that is as new (spec cache-artifacts.md §8.3). Of primary and
 * alternate object the newer is taken.
 */
export function presignedDownload(
  source: PresignedSource,
  archivePath: string,
  transfer: CacheTransfer,
): RepeatedTransfer {
  const download = new ArchiveDownload(archivePath, transfer);
  return {
    attempt: async (signal) => {
      transfer.log.info('Using presigned URL for cache download');
      if (!(await download.resume(signal))) await begin(source, archivePath, download, transfer, signal);
    },
    close: () => download.close(),
  };
}

async function begin(
  source: PresignedSource,
  archivePath: string,
  download: ArchiveDownload,
  transfer: CacheTransfer,
  signal: AbortSignal,
): Promise<void> {
  makeParentDirectory(archivePath);
  const url = await chooseUrl(source, transfer, signal);
  const known = await localEtag(archivePath);
  const response = await firstAnswer(url, known, transfer, signal);
  const version = { etag: headerOf(response, 'etag'), modifiedMs: lastModified(response) };
  if (response.status === 304 || (await isLocalCurrent(archivePath, version))) {
    response.discard();
    transfer.log.info(`${basename(archivePath)} is up to date`);
    return;
  }
  const first = remoteBytes(response);
  const remote: RemoteArchive = {
    ...version,
    shownUrl: cleanUrl(response.url.href),
    metadata: metadataFromHeaders(response.headers),
    totalBytes: first.totalBytes,
    open: openUrl(url, transfer),
  };
  await download.begin(remote, first, signal);
}

/** The whole object where it is small or comes in one piece, else its first part. */
async function firstAnswer(
  url: string,
  knownEtag: string,
  transfer: CacheTransfer,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const unlessKnown: Record<string, string> = knownEtag === '' ? {} : { 'If-None-Match': knownEtag };
  if (transfer.concurrency <= 1) return await get(url, undefined, unlessKnown, transfer, signal);
  const wanted = { start: 0, end: transfer.chunkBytes, validator: '' };
  const response = await get(url, wanted, unlessKnown, transfer, signal);
  const length = headerOf(response, 'content-length');
  if (response.status === 200 && !(Number(length || 'NaN') <= transfer.chunkBytes)) {
    transfer.log.info('Presigned URL did not honor Range request, using sequential download');
  }
  return response;
}

function openUrl(url: string, transfer: CacheTransfer): OpenRemote {
  return async (wanted, signal) => remoteBytes(await get(url, wanted, {}, transfer, signal));
}

async function get(
  url: string,
  wanted: WantedPart | undefined,
  conditions: Readonly<Record<string, string>>,
  transfer: CacheTransfer,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const headers = { ...identity, ...conditions, ...partHeaders(wanted) };
  const response = await sendPresigned({ method: 'GET', url, headers }, transfer, signal);
  if (response.status === 416 && wanted?.start === 0) {
    // An empty object has no parts.
    response.discard();
    return await get(url, undefined, conditions, transfer, signal);
  }
  if (response.status === 404) {
    response.discard();
    throw new ObjectNotFoundError();
  }
  const isExpected =
    response.status === 304 ? 'If-None-Match' in conditions : response.status >= 200 && response.status <= 299;
  if (!isExpected) await refuse(response);
  return response;
}

async function chooseUrl(source: PresignedSource, transfer: CacheTransfer, signal: AbortSignal): Promise<string> {
  if (source.alternateUrl === '') return source.url;
  const [primary, alternate] = await Promise.all([
    modifiedRemotely(source.headUrl || source.url, transfer, signal),
    modifiedRemotely(source.alternateHeadUrl || source.alternateUrl, transfer, signal),
  ]);
  const fields: LogFields = {
    primary_url: cleanUrl(source.url),
    alternate_url: cleanUrl(source.alternateUrl),
    primary_modified: primary === undefined ? undefined : new Date(primary).toUTCString(),
    alternate_modified: alternate === undefined ? undefined : new Date(alternate).toUTCString(),
  };
  if (alternate !== undefined && primary === undefined) {
    transfer.log.info('Selecting alternate cache URL: primary not available', fields);
    return source.alternateUrl;
  }
  if (alternate !== undefined && primary !== undefined && alternate > primary) {
    transfer.log.info('Selecting alternate cache URL: newer timestamp', fields);
    return source.alternateUrl;
  }
  transfer.log.info('Selecting primary cache URL', fields);
  return source.url;
}

async function modifiedRemotely(
  url: string,
  transfer: CacheTransfer,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    const response = await headPresigned(url, transfer, signal);
    return response.status === 200 ? lastModified(response) : undefined;
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    return undefined;
  }
}
