import { AbortReason } from '../lib/abort.ts';
import { ExternalDependencyError, errorMessage } from '../lib/errors.ts';
import { headerOf, parseXmlError, readAnswerText, statusLine } from '../platform/http-answer.ts';
import type { HttpRequest, HttpResponse } from '../platform/http-message.ts';
import type { CacheTransfer } from './cache-transfer.ts';

/** The answer's headers have to come this soon after a request without a body. */
const headerTimeoutMs = 30_000;

/** A request whose URL is all the permission it needs. @throws ExternalDependencyError where no answer came. */
export async function sendPresigned(
  request: Omit<HttpRequest, 'url' | 'timeoutMs'> & { readonly url: string },
  transfer: CacheTransfer,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const { timeoutMs } = transfer;
  const url = parseUrl(request.url);
  try {
    return await transfer.http.send({ headerTimeoutMs, ...request, url, timeoutMs }, signal);
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    // A failure of the transport may be over the next time.
    throw new ExternalDependencyError(errorMessage(error), { cause: error, retryable: true });
  }
}

/** What a HEAD request says; the answer has no body. */
export async function headPresigned(url: string, transfer: CacheTransfer, signal: AbortSignal): Promise<HttpResponse> {
  const response = await sendPresigned({ method: 'HEAD', url, headers: identity }, transfer, signal);
  response.discard();
  return response;
}

export const identity = { 'Accept-Encoding': 'identity' };

/** @throws ExternalDependencyError with what the store says (spec cache-artifacts.md §8.3 step 4). */
export async function refuse(response: HttpResponse): Promise<never> {
  const xml = parseXmlError(headerOf(response, 'content-type'), await readAnswerText(response));
  const detail = xml === undefined ? '' : `. Request failed with code: ${xml.code}, message: ${xml.message}`;
  throw new ExternalDependencyError(`received: ${statusLine(response)}${detail}`, {
    retryable: response.status >= 500 || response.status === 429 || response.status === 408,
  });
}

export function lastModified(response: HttpResponse): number | undefined {
  const time = Date.parse(headerOf(response, 'last-modified'));
  return Number.isNaN(time) ? undefined : time;
}

/** Without what gives access. */
export function cleanUrl(text: string): string {
  const url = URL.parse(text);
  return url === null ? '' : `${url.origin}${url.pathname}`;
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new ExternalDependencyError('the URL of the cache cannot be read');
  return url;
}
