import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pipeByteRange, readByteRange } from '../../platform/byte-file.ts';
import type { Answer, FileRange } from './answer.ts';

/** Sends an answer whole. Does not throw: a client that went away is told to `onUndelivered`. */
export async function sendAnswer(response: ServerResponse, answer: Answer, signal: AbortSignal): Promise<void> {
  const { body } = answer;
  try {
    writeHead(response, answer, sizeOf(body));
    if (body === undefined || body instanceof Uint8Array) await endWith(response, body);
    else if (isFileRange(body)) await pipeByteRange(body.path, body.start, body.end, response, signal);
    else await pipeline(Readable.from(body, { objectMode: false }), response, { signal });
  } catch {
    response.destroy();
  }
  if (!response.writableFinished) answer.onUndelivered?.();
}

/** Sends half of an answer, then breaks the connection: a fault. */
export async function sendTruncated(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  const body = answer.body instanceof Uint8Array ? answer.body : await firstBytes(answer.body);
  // An answer without body cannot be cut, so it promises one.
  writeHead(response, answer, Math.max(body.length, 2));
  await new Promise<void>((resolve) => {
    response.write(body.length > 1 ? body.subarray(0, Math.floor(body.length / 2)) : ' ', () => resolve());
  });
  request.socket.destroy();
}

const truncatedFileBytes = 64 * 1024;

async function firstBytes(body: Exclude<Answer['body'], Uint8Array>): Promise<Uint8Array> {
  if (body === undefined || !isFileRange(body)) return new Uint8Array();
  return readByteRange(body.path, body.start, Math.min(body.end, body.start + truncatedFileBytes));
}

function writeHead(response: ServerResponse, answer: Answer, size: number | undefined): void {
  const hasBody = answer.status !== 204 && answer.status !== 304;
  const length = size !== undefined && hasBody ? { 'Content-Length': String(size) } : {};
  response.writeHead(answer.status, { ...length, ...answer.headers });
}

async function endWith(response: ServerResponse, body: Uint8Array | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    response.once('close', resolve);
    response.end(body, () => resolve());
  });
}

function sizeOf(body: Answer['body']): number | undefined {
  if (body === undefined) return 0;
  if (body instanceof Uint8Array) return body.length;
  return isFileRange(body) ? body.end - body.start : undefined;
}

function isFileRange(body: FileRange | AsyncIterable<Uint8Array>): body is FileRange {
  return 'path' in body;
}
