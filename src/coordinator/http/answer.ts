import { STATUS_CODES } from 'node:http';

/** A part of a file, streamed. */
export interface FileRange {
  readonly path: string;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** What a handler answers; the server sends it, or a fault in its place. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | FileRange | AsyncIterable<Uint8Array>;
  /** Called once when the client cannot have got the whole answer. Must not throw. */
  readonly onUndelivered?: () => void;
}

export function jsonAnswer(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  const body = Buffer.from(JSON.stringify(value));
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body };
}

/** Text as a quoted JSON-less body, as GitLab answers job updates. */
export function textAnswer(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'Content-Type': 'text/plain', ...headers }, body: Buffer.from(text) };
}

export function emptyAnswer(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers };
}

/** GitLab's error form: `{"message":"403 Forbidden"}`, or the message given. */
export function errorAnswer(
  status: number,
  message: unknown = `${status} ${STATUS_CODES[status] ?? ''}`.trim(),
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return jsonAnswer(status, { message }, headers);
}
