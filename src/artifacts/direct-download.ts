import { AbortReason } from '../lib/abort.ts';
import { ExternalDependencyError, errorMessage, StorageError } from '../lib/errors.ts';
import type { Logger } from '../observability/logger.ts';
import { statusLine } from '../platform/http-answer.ts';
import type { HttpResponse } from '../platform/http-client.ts';
import { type OpenRemote, partHeaders, type RemoteBytes, remoteBytes } from '../transfer/remote-bytes.ts';
import type { RemoteDownload } from '../transfer/remote-download.ts';
import type { TransferHttp } from './http-port.ts';

/** Where the coordinator says that an archive lies. */
export interface ArchivePlace {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Told of each answer. */
  readonly accept: (response: HttpResponse) => void;
}

/** Size of the pieces of a parallel download. */
export const artifactChunkBytes = 16 * 1024 * 1024;
/** How many of them are on their way. */
export const artifactStreams = 16;

/**
 * Gets an archive from where it lies (spec cache-artifacts.md §5).
 * @returns whether it could be had there; what was got stays with `bytes`.
 * @throws StorageError where it cannot be written; the signal's reason.
 */
export async function fetchDirectly(
  place: ArchivePlace,
  download: { readonly isParallel: boolean; readonly bytes: RemoteDownload },
  http: TransferHttp,
  log: Logger,
  signal: AbortSignal,
): Promise<boolean> {
  const { bytes, isParallel } = download;
  const open = openPlace(place, http);
  try {
    const first = isParallel ? await probe(place, open, log, signal) : undefined;
    if (!isParallel) tell(log, 'using single download stream');
    await bytes.begin(first ?? (await open(undefined, signal)), open, signal);
    return true;
  } catch (error) {
    rethrowFatal(error, signal);
    log.debug('Direct download failed', { error: errorMessage(error) });
  }
  if (!bytes.canResume) return false;
  if (isParallel) tell(log, 'parallel failed, using single download stream');
  try {
    await bytes.resume(open, signal, 1);
    return true;
  } catch (error) {
    rethrowFatal(error, signal);
    log.debug('Direct download failed', { error: errorMessage(error) });
    return false;
  }
}

/** The first piece, which tells the size of it all; undefined where it could not be had. */
async function probe(
  place: ArchivePlace,
  open: OpenRemote,
  log: Logger,
  signal: AbortSignal,
): Promise<RemoteBytes | undefined> {
  let first: RemoteBytes;
  try {
    first = await open({ start: 0, end: artifactChunkBytes, validator: '' }, signal);
  } catch (error) {
    rethrowFatal(error, signal);
    tell(log, 'cannot probe size (Range request failed), using single download stream');
    return undefined;
  }
  if (!first.isPart) tell(log, 'remote host does not support Range, using single download stream');
  else if (first.totalBytes === undefined)
    tell(log, 'unknown size (no Content-Range total), using single download stream');
  else if (first.totalBytes <= artifactChunkBytes) {
    tell(log, 'file size <= 16 MiB (chunk size), using single download stream');
  } else {
    const url = `${place.url.origin}${place.url.pathname}`;
    tell(log, `parallel, ${artifactStreams} streams, 16 MiB chunk size`, { url });
  }
  return first;
}

function openPlace(place: ArchivePlace, http: TransferHttp): OpenRemote {
  return async (wanted, signal) => {
    const headers = { ...place.headers, ...partHeaders(wanted) };
    const response = await http.sendOnce({ method: 'GET', url: place.url, headers }, signal);
    place.accept(response);
    if (response.status === 200 || (response.status === 206 && wanted !== undefined)) return remoteBytes(response);
    response.discard();
    throw new ExternalDependencyError(`the store answered ${statusLine(response)}`);
  };
}

function tell(log: Logger, text: string, fields: Readonly<Record<string, string>> = {}): void {
  log.info(`Artifact download: ${text}`, fields);
}

function rethrowFatal(error: unknown, signal: AbortSignal): void {
  if (signal.aborted || error instanceof AbortReason || error instanceof StorageError) throw error;
}
