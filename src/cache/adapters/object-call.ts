import type { HttpRequest, HttpResponse } from '../../platform/http-client.ts';
import type { ObjectBytes, ObjectFacts, ObjectStorePorts } from '../object-store.ts';
import { bodyOf, factsOf, type Metadata } from './store-answers.ts';
import { type RequestPurpose, refusal, sendToStore } from './store-request.ts';

/** A request for an object, complete and authorised. */
export interface ObjectCall {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ObjectBytes | string | undefined;
  readonly purpose: RequestPurpose;
}

/**
 * Sends a request of a helper's store; any answer is one.
 * @throws as `sendToStore`
 */
export async function sendCall(
  { http, timeoutMs }: ObjectStorePorts,
  { method, url, headers, body, purpose }: ObjectCall,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const request: HttpRequest = {
    method,
    url,
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'object' ? bodyOf(body) : body }),
    redirect: 'manual',
    timeoutMs,
    headerTimeoutMs: timeoutMs,
  };
  return await sendToStore(http, request, purpose, signal);
}

/** What the answer to a HEAD says of an object; undefined = it is not there. @throws ExternalDependencyError */
export async function headFacts(
  response: HttpResponse,
  metadata: Metadata,
  purpose: RequestPurpose,
): Promise<ObjectFacts | undefined> {
  if (response.status !== 200 && response.status !== 404) throw await refusal(response, purpose);
  response.discard();
  return response.status === 404 ? undefined : factsOf(response, metadata);
}
