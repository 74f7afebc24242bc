import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { errorMessage } from '../../lib/errors.ts';
import { RequestError } from './request-error.ts';

/**
 * Reads a request's body whole.
 * @throws RequestError 413 beyond `maxBytes`; an error when the client goes away in the middle.
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bodyChunks(request)) {
    size += chunk.length;
    if (size > maxBytes) throw new RequestError(413, `the body is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

/** A request's body in chunks. Leaving the loop early keeps the connection, so that an answer can be sent. */
export function bodyChunks(request: IncomingMessage): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer> };
}

/**
 * Reads a JSON body; an absent one is `null`.
 * @throws RequestError 400, 413
 */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const text = (await readBody(request, maxBytes)).toString('utf8');
  if (text.trim() === '') return null;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new RequestError(400, `the body is not JSON: ${errorMessage(error)}`, { cause: error });
  }
}

/**
 * Reads a JSON body of a known shape.
 * @throws RequestError 400 that names every wrong member
 */
export async function readShape<T extends z.ZodType>(
  request: IncomingMessage,
  maxBytes: number,
  schema: T,
): Promise<z.output<T>> {
  const parsed = schema.safeParse((await readJson(request, maxBytes)) ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
  throw new RequestError(400, problems.join('; '));
}

/** A header's value; of repeated ones the first. */
export function headerOf(request: IncomingMessage, name: string): string {
  const value = request.headers[name.toLowerCase()];
  return (Array.isArray(value) ? value[0] : value) ?? '';
}
