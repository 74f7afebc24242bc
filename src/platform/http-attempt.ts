import { type IncomingMessage, request as startRequest } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { createGunzip } from 'node:zlib';
import { AbortReason, abortReasonOf } from '../lib/abort.ts';
import { ApiError, systemErrorCode } from '../lib/errors.ts';
import type { DialingAgent, DialOptions } from './http-agent.ts';
import { proxyAuthorization, unreachableError } from './http-dial.ts';
import type { HttpRequest, HttpResponse } from './http-message.ts';
import { peerChain } from './peer-chain.ts';
import type { TlsMaterial } from './tls-trust.ts';

const DEFAULT_TIMEOUT_MS = 3_600_000;
const DEFAULT_HEADER_TIMEOUT_MS = 600_000;

/** A request with all that was found out for it. */
export interface Exchange {
  readonly request: HttpRequest;
  readonly material: TlsMaterial | undefined;
  readonly texts: HttpResponse['tls'];
  readonly proxy: URL | undefined;
}

/** The server closed a kept connection just when it was used again. */
export class StaleConnectionError extends Error {}

/**
 * One request on one connection.
 * @throws StaleConnectionError where it can be sent again; ApiError `unreachable`; the signal's reason.
 */
export async function attempt(prepared: Exchange, agent: DialingAgent, signal: AbortSignal): Promise<HttpResponse> {
  const { request } = prepared;
  if (signal.aborted) throw abortReasonOf(signal);
  const operation = new AbortController();
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const message = startRequest(requestOptions(prepared, agent, operation.signal));
  let response: IncomingMessage | undefined;

  const end = (reason: Error): void => {
    operation.abort(reason);
    message.destroy(reason);
    response?.destroy(reason);
    reject(reason);
  };
  const onAbort = (): void => end(abortReasonOf(signal));
  const total = setTimeout(() => end(timedOut('the exchange')), request.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  let headers: NodeJS.Timeout | undefined;
  const settle = (): void => {
    clearTimeout(total);
    clearTimeout(headers);
    signal.removeEventListener('abort', onAbort);
  };

  signal.addEventListener('abort', onAbort, { once: true });
  message.once('socket', () => request.onSending?.());
  message.once('finish', () => {
    headers = setTimeout(() => end(timedOut('the answer')), request.headerTimeoutMs ?? DEFAULT_HEADER_TIMEOUT_MS);
  });
  message.once('response', (received) => {
    response = received;
    clearTimeout(headers);
    if (request.keepAnswer === true) signal.removeEventListener('abort', onAbort);
    resolve(received);
  });
  message.on('error', (error) => reject(transportError(error, message.reusedSocket, request)));
  message.once('close', settle);
  writeBody(message, request, (error) => {
    // An answer before the body's end stops the upload; the answer counts.
    if (response === undefined) end(error);
  });
  const received = await promise;
  return toResponse(received, prepared);
}

function requestOptions(prepared: Exchange, agent: DialingAgent, dialSignal: AbortSignal) {
  const { request, proxy } = prepared;
  const { url } = request;
  const throughProxy = proxy !== undefined && url.protocol === 'http:';
  const authorization = throughProxy ? proxyAuthorization(proxy) : undefined;
  const dialOptions: DialOptions = {
    dialSecureContext: prepared.material?.context,
    dialProxy: proxy,
    dialSignal,
  };
  return {
    ...dialOptions,
    agent,
    protocol: url.protocol,
    host: url.hostname,
    port: url.port === '' ? agent.defaultPort : Number(url.port),
    method: request.method,
    path: throughProxy ? `${url.origin}${url.pathname}${url.search}` : `${url.pathname}${url.search}`,
    headers: {
      'Accept-Encoding': 'gzip',
      ...(authorization === undefined ? {} : { 'Proxy-Authorization': authorization }),
      ...request.headers,
      ...bodyLength(request.body),
    },
  };
}

function bodyLength(body: HttpRequest['body']): Record<string, number> {
  if (typeof body === 'string') return { 'Content-Length': Buffer.byteLength(body) };
  return body instanceof Uint8Array ? { 'Content-Length': body.byteLength } : {};
}

function writeBody(
  message: ReturnType<typeof startRequest>,
  request: HttpRequest,
  onFailure: (reason: Error) => void,
): void {
  if (typeof request.body !== 'function') {
    message.end(request.body);
    return;
  }
  pipeline(request.body(), message, (error) => {
    if (error) onFailure(error instanceof ApiError ? error : unreachableError('send the request', error));
  });
}

function toResponse(received: IncomingMessage, prepared: Exchange): HttpResponse {
  const body = decompressed(received);
  const { socket } = received;
  return {
    status: received.statusCode ?? 0,
    statusText: received.statusMessage ?? '',
    headers: received.headers,
    url: prepared.request.url,
    body,
    discard: () => discard(body, received),
    peerChain: () => (socket instanceof TLSSocket ? peerChain(socket) : []),
    tls: prepared.texts,
  };
}

function decompressed(received: IncomingMessage): Readable {
  if (received.headers['content-encoding'] !== 'gzip') return received;
  const gunzip = createGunzip();
  pipeline(received, gunzip, () => {});
  return gunzip;
}

const SHORT_BODY_BYTES = 65_536;

function discard(body: Readable, received: IncomingMessage): void {
  body.on('error', () => {});
  const length = Number(received.headers['content-length'] ?? '0');
  if (length > SHORT_BODY_BYTES) received.destroy();
  else body.resume();
}

function transportError(error: Error, wasReused: boolean, request: HttpRequest): Error {
  if (error instanceof AbortReason || error instanceof ApiError) return error;
  const code = systemErrorCode(error);
  const isStale = wasReused && (code === 'ECONNRESET' || code === 'EPIPE');
  if (isStale) return new StaleConnectionError(error.message, { cause: error });
  return unreachableError(nameOf(request), error);
}

export function nameOf(request: HttpRequest): string {
  return `${request.method} ${request.url.origin}${request.url.pathname}`;
}

function timedOut(what: string): ApiError {
  return new ApiError('unreachable', `timed out waiting for ${what}`, { retryable: true });
}
