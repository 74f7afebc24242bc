import { basename, dirname, extname } from 'node:path';
import { Readable } from 'node:stream';
import { AbortReason } from '../lib/abort.ts';
import { ExternalDependencyError, errorMessage } from '../lib/errors.ts';
import type { LogFields, Logger } from '../observability/logger.ts';
import { headerOf, parseXmlError, readAnswerText, statusLine } from '../platform/http-answer.ts';
import type { HttpClient, HttpResponse } from '../platform/http-client.ts';
import { createStagedFile, inspectFile, makeParentDirectory, streamFile } from '../platform/staged-file.ts';
import { metadataFromHeaders, writeCacheMetadata } from './cache-metadata.ts';

/** What transfers with pre-signed URLs need (spec cache-artifacts.md §8.3, §9.3, §9.4). */
export interface CacheTransfer {
  readonly http: HttpClient;
  readonly log: Logger;
  /** Of each request with its body. */
  readonly timeoutMs: number;
  /** Told of the bytes as they pass; the total where it is known. */
  readonly progress: (label: 'Downloading cache' | 'Uploading cache', totalBytes: number | undefined) => ProgressSink;
}

export interface ProgressSink {
  add(bytes: number): void;
  end(): void;
}

const headerTimeoutMs = 30_000;

export interface PresignedSource {
  readonly url: string;
  readonly headUrl: string;
  readonly alternateUrl: string;
  readonly alternateHeadUrl: string;
}

/**
 * Brings a remote cache to its local file, unless that is as new. Of primary and alternate object the newer is taken.
 * @throws ExternalDependencyError, `retryable` where another try may help.
 */
export async function downloadCache(
  source: PresignedSource,
  archivePath: string,
  transfer: CacheTransfer,
  signal: AbortSignal,
): Promise<void> {
  transfer.log.info('Using presigned URL for cache download');
  makeParentDirectory(archivePath);
  const url = await chooseUrl(source, transfer, signal);
  const response = await request('GET', url, transfer, signal);
  const modifiedMs = lastModified(response);
  const local = inspectFile(archivePath);
  if (local !== undefined && modifiedMs !== undefined && modifiedMs <= local.modifiedMs) {
    response.discard();
    transfer.log.info(`${basename(archivePath)} is up to date`);
    return;
  }
  await save(response, archivePath, modifiedMs, transfer);
}

/** Whether an object is there; an answer that says nothing counts as no (spec §9.3). */
export async function cacheExists(url: string, transfer: CacheTransfer, signal: AbortSignal): Promise<boolean> {
  if (url === '') return false;
  try {
    return (await head(url, transfer, signal)).status === 200;
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    const message = 'Failed to check primary cache existence via HEAD request, assuming absent';
    transfer.log.warn(message, { error: errorMessage(error) });
    return false;
  }
}

/** Sends the archive to its object. @throws as `downloadCache`. */
export async function uploadCache(
  target: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
  archivePath: string,
  transfer: CacheTransfer,
  signal: AbortSignal,
): Promise<void> {
  transfer.log.info('Using presigned URL for cache upload');
  transfer.log.info(`Uploading ${basename(archivePath)} to ${cleanUrl(target.url)}`);
  const file = inspectFile(archivePath);
  if (file === undefined) throw new ExternalDependencyError(`the cache archive ${archivePath} is gone`);
  const progress = transfer.progress('Uploading cache', file.sizeBytes);
  const body = () => Readable.from(counted(streamFile(archivePath), progress), { objectMode: false });
  try {
    const response = await transport(
      transfer.http.send(
        {
          method: 'PUT',
          url: parseUrl(target.url),
          headers: uploadHeaders(target.headers, file),
          body,
          timeoutMs: transfer.timeoutMs,
          // Object stores answer only when a large object is stored.
          headerTimeoutMs: transfer.timeoutMs,
        },
        signal,
      ),
      signal,
    );
    if (response.status < 200 || response.status > 299) await refuse(response);
    response.discard();
  } finally {
    progress.end();
  }
}

async function* counted(pieces: AsyncIterable<Buffer>, progress: ProgressSink): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    yield piece;
    progress.add(piece.length);
  }
}

/** Headers the signature covers are sent as given; the host is the URL's. */
function uploadHeaders(
  given: Readonly<Record<string, string>>,
  file: { readonly sizeBytes: number; readonly modifiedMs: number },
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (!['host', 'content-length'].includes(name.toLowerCase())) headers[name] = value;
  }
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  if (!names.has('content-type')) headers['Content-Type'] = 'application/octet-stream';
  if (!names.has('last-modified')) headers['Last-Modified'] = new Date(file.modifiedMs).toUTCString();
  headers['Content-Length'] = String(file.sizeBytes);
  return headers;
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
    const response = await head(url, transfer, signal);
    return response.status === 200 ? lastModified(response) : undefined;
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    return undefined;
  }
}

async function head(url: string, transfer: CacheTransfer, signal: AbortSignal): Promise<HttpResponse> {
  const sent = {
    method: 'HEAD',
    url: parseUrl(url),
    headers: identity,
    timeoutMs: transfer.timeoutMs,
    headerTimeoutMs,
  };
  const response = await transfer.http.send(sent, signal);
  response.discard();
  return response;
}

const identity = { 'Accept-Encoding': 'identity' };

async function request(
  method: string,
  url: string,
  transfer: CacheTransfer,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const sent = { method, url: parseUrl(url), headers: identity, timeoutMs: transfer.timeoutMs, headerTimeoutMs };
  const response = await transport(transfer.http.send(sent, signal), signal);
  if (response.status === 404) {
    response.discard();
    throw new ExternalDependencyError('file does not exist');
  }
  if (response.status < 200 || response.status > 299) await refuse(response);
  return response;
}

async function save(
  response: HttpResponse,
  archivePath: string,
  modifiedMs: number | undefined,
  transfer: CacheTransfer,
): Promise<void> {
  const etag = headerOf(response, 'etag');
  const name = basename(archivePath, extname(archivePath));
  transfer.log.info(`Downloading ${name} from ${cleanUrl(response.url.href)}`, etag === '' ? {} : { etag });
  const length = headerOf(response, 'content-length');
  const progress = transfer.progress('Downloading cache', length === '' ? undefined : Number(length));
  const file = await createStagedFile(dirname(archivePath), 'cache');
  try {
    await copyBody(response, (piece) => file.write(piece), progress);
    await file.commit(archivePath, modifiedMs);
  } finally {
    progress.end();
    await file.discard();
  }
  await writeCacheMetadata(archivePath, metadataFromHeaders(response.headers));
}

async function copyBody(
  response: HttpResponse,
  write: (data: Uint8Array) => Promise<void>,
  progress: ProgressSink,
): Promise<void> {
  const pieces = (response.body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  for (;;) {
    let next: IteratorResult<Buffer>;
    try {
      next = await pieces.next();
    } catch (error) {
      if (error instanceof AbortReason) throw error;
      throw new ExternalDependencyError(`the download broke off: ${errorMessage(error)}`, {
        cause: error,
        retryable: true,
      });
    }
    if (next.done === true) return;
    await write(next.value);
    progress.add(next.value.length);
  }
}

/** A failure of the transport may be over the next time. */
async function transport(sent: Promise<HttpResponse>, signal: AbortSignal): Promise<HttpResponse> {
  try {
    return await sent;
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    throw new ExternalDependencyError(errorMessage(error), { cause: error, retryable: true });
  }
}

async function refuse(response: HttpResponse): Promise<never> {
  const xml = parseXmlError(headerOf(response, 'content-type'), await readAnswerText(response));
  const detail = xml === undefined ? '' : `. Request failed with code: ${xml.code}, message: ${xml.message}`;
  throw new ExternalDependencyError(`received: ${statusLine(response)}${detail}`, {
    retryable: response.status >= 500,
  });
}

function lastModified(response: HttpResponse): number | undefined {
  const time = Date.parse(headerOf(response, 'last-modified'));
  return Number.isNaN(time) ? undefined : time;
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new ExternalDependencyError('the URL of the cache cannot be read');
  return url;
}

/** Without what gives access. */
function cleanUrl(text: string): string {
  const url = URL.parse(text);
  return url === null ? '' : `${url.origin}${url.pathname}`;
}
