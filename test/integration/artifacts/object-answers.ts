import type { Answer, Received } from './fixture.ts';

/** An object as a store serves it. */
export interface StoredObject {
  readonly content: Buffer;
  readonly etag: string;
  readonly modified: string;
}

/** Answers GET and HEAD as object stores do: parts, conditions, times. */
export function serveObject(object: StoredObject, request: Received): Answer {
  const { content, etag, modified } = object;
  const headers = { etag, 'last-modified': modified, 'accept-ranges': 'bytes' };
  if (request.headers['if-none-match'] === etag) return { status: 304, headers: { etag, 'last-modified': modified } };
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const condition = request.headers['if-range'];
  if (range === null || (condition !== undefined && condition !== etag)) return { status: 200, headers, body: content };
  const start = Number(range[1]);
  const end = Math.min(content.length, range[2] === '' ? content.length : Number(range[2]) + 1);
  if (start >= content.length) return { status: 416, headers: { 'content-range': `bytes */${content.length}` } };
  const contentRange = `bytes ${start}-${end - 1}/${content.length}`;
  return { status: 206, headers: { ...headers, 'content-range': contentRange }, body: content.subarray(start, end) };
}

/** `GET 0-9`, `HEAD`, `GET`: what a server was asked. */
export function asked(received: readonly Received[]): readonly string[] {
  return received.map(({ method, headers }) => `${method} ${(headers.range ?? '').replace('bytes=', '')}`.trimEnd());
}
