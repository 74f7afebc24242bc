import { ExternalDependencyError } from '../lib/errors.ts';
import { headerOf } from '../platform/http-answer.ts';
import type { HttpResponse } from '../platform/http-message.ts';

/** Bytes of a remote object on their way: all of it or one part. */
export interface RemoteBytes {
  /** The answer says which part it is, be that the whole. */
  readonly isPart: boolean;
  /** Position of the first byte. */
  readonly start: number;
  /** Position behind the last byte; undefined = nobody said. */
  readonly end: number | undefined;
  /** Size of the whole object; undefined = nobody said. */
  readonly totalBytes: number | undefined;
  /** Tells this object from what it may be replaced with, byte for byte; empty = nothing does. */
  readonly validator: string;
  readonly body: AsyncIterable<Buffer>;
  /** Gives up the body. */
  discard(): void;
}

/** The part that is wanted of an object. */
export interface WantedPart {
  readonly start: number;
  /** Position behind the last byte; undefined = to the object's end. */
  readonly end: number | undefined;
  /** `RemoteBytes.validator` of what is there already; the server need not send parts of anything else. */
  readonly validator: string;
}

/**
 * Asks for an object, or a part of it; may answer with all of it whatever was wanted.
 * @throws ExternalDependencyError, `retryable` where another try may help.
 */
export type OpenRemote = (wanted: WantedPart | undefined, signal: AbortSignal) => Promise<RemoteBytes>;

/** The request headers that ask for a part. */
export function partHeaders(wanted: WantedPart | undefined): Readonly<Record<string, string>> {
  if (wanted === undefined) return {};
  const range = `bytes=${wanted.start}-${wanted.end === undefined ? '' : wanted.end - 1}`;
  return wanted.validator === '' ? { Range: range } : { Range: range, 'If-Range': wanted.validator };
}

/** Reads an answer with status 200 or 206. @throws ExternalDependencyError for a part that is not described. */
export function remoteBytes(response: HttpResponse): RemoteBytes {
  const common = { validator: validatorOf(response), body: response.body, discard: () => response.discard() };
  if (response.status !== 206) {
    const text = headerOf(response, 'content-encoding') === '' ? headerOf(response, 'content-length') : '';
    const totalBytes = /^\d+$/.test(text) ? Number(text) : undefined;
    return { ...common, isPart: false, start: 0, end: totalBytes, totalBytes };
  }
  const range = contentRange(response);
  if (range === undefined || headerOf(response, 'content-encoding') !== '') {
    response.discard();
    throw new ExternalDependencyError('the server sent a part of the file without saying which', { retryable: true });
  }
  return { ...common, isPart: true, ...range };
}

function contentRange(
  response: HttpResponse,
): { start: number; end: number; totalBytes: number | undefined } | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headerOf(response, 'content-range'));
  if (match === null) return undefined;
  const [, first, last, total] = match;
  const totalBytes = total === '*' ? undefined : Number(total);
  return { start: Number(first), end: Number(last) + 1, totalBytes };
}

/** A strong entity tag; else a time of change that is old enough to be one (RFC 9110 §8.8). */
function validatorOf(response: HttpResponse): string {
  const etag = headerOf(response, 'etag');
  if (/^"[^"]*"$/.test(etag)) return etag;
  const modified = headerOf(response, 'last-modified');
  const age = Date.parse(headerOf(response, 'date')) - Date.parse(modified);
  return age >= 60_000 ? modified : '';
}
