import type { HttpRequest, HttpResponse } from './http-message.ts';

const BECOMES_GET = new Set([301, 302, 303]);
const REPEATS = new Set([307, 308]);
const CREDENTIALS = new Set(['authorization', 'cookie', 'job-token', 'runner-token', 'private-token']);
const BODY_HEADERS = new Set(['content-type', 'content-length', 'content-range']);

/**
 * The request a redirect asks for (spec protocol.md §1.4); undefined = this answer is final.
 * Credentials stay behind when another origin is named, except that plain http may be raised to https.
 */
export function redirectOf(request: HttpRequest, response: HttpResponse): HttpRequest | undefined {
  const location = response.headers.location;
  const becomesGet = BECOMES_GET.has(response.status);
  if (location === undefined || (!becomesGet && !REPEATS.has(response.status))) return undefined;
  const url = URL.parse(location, request.url.href);
  if (url === null) return undefined;
  const dropsBody = becomesGet && request.method !== 'GET' && request.method !== 'HEAD';
  const { body, ...rest } = request;
  return {
    ...rest,
    url,
    method: dropsBody ? 'GET' : request.method,
    headers: withoutHeaders(
      request.headers,
      (name) => (dropsBody && BODY_HEADERS.has(name)) || (!keepsCredentials(request.url, url) && CREDENTIALS.has(name)),
    ),
    ...(dropsBody || body === undefined ? {} : { body }),
  };
}

function keepsCredentials(from: URL, to: URL): boolean {
  if (from.origin === to.origin) return true;
  const isUpgrade = from.protocol === 'http:' && to.protocol === 'https:';
  return isUpgrade && from.hostname === to.hostname && from.port === '' && to.port === '';
}

function withoutHeaders(headers: HttpRequest['headers'], isDropped: (name: string) => boolean): HttpRequest['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isDropped(name.toLowerCase())));
}
