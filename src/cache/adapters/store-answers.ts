import { Readable } from 'node:stream';
import { AbortReason } from '../../lib/abort.ts';
import { ExternalDependencyError, errorMessage } from '../../lib/errors.ts';
import { headerOf } from '../../platform/http-answer.ts';
import type { HttpResponse } from '../../platform/http-client.ts';
import { ObjectChangedError, ObjectNotFoundError } from '../object-errors.ts';
import type { ObjectBytes, ObjectContent, ObjectFacts, ObjectRequest } from '../object-store.ts';
import { type RequestPurpose, refusal } from './store-request.ts';

export type Metadata = Readonly<Record<string, string>>;

/** Facts from the headers of an answer for a whole object. */
export function factsOf(response: HttpResponse, metadata: Metadata): ObjectFacts {
  const modifiedMs = Date.parse(headerOf(response, 'last-modified'));
  return {
    sizeBytes: wholeSize(response),
    modifiedMs: Number.isNaN(modifiedMs) ? 0 : modifiedMs,
    etag: headerOf(response, 'etag'),
    metadata,
  };
}

function wholeSize(response: HttpResponse): number {
  const total = /\/(\d+)$/.exec(headerOf(response, 'content-range'))?.[1];
  return Number(total ?? headerOf(response, 'content-length'));
}

/** Headers that ask for a part, or for one certain object. */
export function conditionHeaders({ range, ifMatch }: ObjectRequest): Readonly<Record<string, string>> {
  return {
    'Accept-Encoding': 'identity',
    ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.end - 1}` }),
    ...(ifMatch === undefined ? {} : { 'If-Match': ifMatch }),
  };
}

/**
 * The content that an answer to a GET brings.
 * @throws ObjectNotFoundError, ObjectChangedError, ExternalDependencyError
 */
export async function contentOf(
  response: HttpResponse,
  { range }: ObjectRequest,
  metadata: Metadata,
  purpose: RequestPurpose,
): Promise<ObjectContent> {
  if (response.status === 404) {
    response.discard();
    throw new ObjectNotFoundError();
  }
  if (response.status === 412) {
    response.discard();
    throw new ObjectChangedError();
  }
  if (response.status !== 200 && response.status !== 206) throw await refusal(response, purpose);
  if (range !== undefined && !isPart(response, range)) {
    response.discard();
    throw new ExternalDependencyError(`cannot ${purpose.what}: the server sent another part than the one asked for`);
  }
  return {
    facts: factsOf(response, metadata),
    body: readBody(response),
    discard: () => response.discard(),
  };
}

function isPart(response: HttpResponse, range: { readonly start: number; readonly end: number }): boolean {
  const [, start, last] = /^bytes (\d+)-(\d+)\//.exec(headerOf(response, 'content-range')) ?? [];
  return response.status === 206 && Number(start) === range.start && Number(last) <= range.end - 1;
}

async function* readBody(response: HttpResponse): AsyncGenerator<Buffer> {
  try {
    yield* response.body as AsyncIterable<Buffer>;
  } catch (error) {
    if (error instanceof AbortReason) throw error;
    throw new ExternalDependencyError(`the download broke off: ${errorMessage(error)}`, {
      cause: error,
      retryable: true,
    });
  }
}

/** A body for requests that may be repeated. */
export function bodyOf(content: ObjectBytes): () => Readable {
  return () => Readable.from(content.read(), { objectMode: false });
}
