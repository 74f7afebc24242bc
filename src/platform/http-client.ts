import { type IncomingHttpHeaders, type IncomingMessage, request as startRequest } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { createGunzip } from 'node:zlib';
import { AbortReason, abortReasonOf } from '../lib/abort.ts';
import { ApiError, systemErrorCode } from '../lib/errors.ts';
import { DialingAgent, type DialOptions } from './http-agent.ts';
import { proxyAuthorization, unreachableError } from './http-dial.ts';
import { redirectOf } from './http-redirect.ts';
import { peerChain } from './peer-chain.ts';
import type { ProxyResolver } from './proxy-environment.ts';
import type { TlsFilePaths, TlsMaterial, TlsTrust } from './tls-trust.ts';

const MAX_REDIRECTS = 10;
const DEFAULT_TIMEOUT_MS = 3_600_000;
const DEFAULT_HEADER_TIMEOUT_MS = 600_000;

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** A function is called for each attempt and redirect that repeats the body. */
  readonly body?: string | Uint8Array | (() => Readable);
  /** Default: followed, up to ten. */
  readonly redirect?: 'follow' | 'manual';
  /** Whole exchange with the reading of the body; default one hour. */
  readonly timeoutMs?: number;
  /** Wait for the answer's headers once the request is written; default ten minutes. */
  readonly headerTimeoutMs?: number;
  /** Once the headers have come, the signal does not end the exchange any more. */
  readonly keepAnswer?: boolean;
  /** Called when a connection is there and the request goes out; again after a redirect. */
  readonly onSending?: () => void;
}

export interface HttpResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingHttpHeaders;
  /** URL that answered. */
  readonly url: URL;
  /** Decompressed. Read it to its end or call `discard`. */
  readonly body: Readable;
  /** Gives up the body; a short one is read so that the connection can be used again. */
  discard(): void;
  /** PEM certificates the server was verified with, leaf first; empty for plain http. */
  peerChain(): readonly string[];
  /** Text of the CA file and the client certificate that were in force. */
  readonly tls: { readonly caText: string | undefined; readonly clientCertificate: string; readonly clientKey: string };
}

/** One per coordinator client; owns its connections. */
export interface HttpClient {
  /**
   * Sends a request and resolves when the headers of the final answer have come, whatever the status.
   * @throws ApiError `unreachable` for every failure of the transport; the signal's reason when it is aborted.
   */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>;
  /** Closes idle connections; later requests open new ones. */
  close(): void;
}

export interface HttpClientOptions {
  readonly trust: TlsTrust;
  readonly tlsFiles: TlsFilePaths;
  readonly proxyFor: ProxyResolver;
  /** Idle connections are closed when this long has passed since that was last done; 0 = never. */
  readonly connectionMaxAgeMs: number;
}

interface Exchange {
  readonly request: HttpRequest;
  readonly material: TlsMaterial | undefined;
  readonly texts: HttpResponse['tls'];
  readonly proxy: URL | undefined;
}

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const agents = new Map<string, DialingAgent>();
  let material: TlsMaterial | undefined;
  let agedSince = performance.now();

  function closeIdle(): void {
    for (const agent of agents.values()) agent.closeIdle();
    agedSince = performance.now();
  }

  async function refreshMaterial(): Promise<TlsMaterial> {
    const next = await options.trust.load(options.tlsFiles, material);
    if (material !== undefined && next !== material) {
      closeIdle();
      agents.clear();
    }
    material = next;
    return next;
  }

  async function prepare(request: HttpRequest): Promise<Exchange> {
    const { url } = request;
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw new ApiError('protocol', `only http or https scheme supported, not ${url.protocol}`);
    }
    if (options.connectionMaxAgeMs > 0 && performance.now() - agedSince > options.connectionMaxAgeMs) closeIdle();
    const proxy = resolveProxy(options.proxyFor, url);
    if (url.protocol === 'https:' || proxy?.protocol === 'https:') {
      const loaded = await loadOrFail(refreshMaterial);
      return { request, material: loaded, proxy, texts: { ...loaded } };
    }
    const files = options.tlsFiles;
    const hasFiles = files.caFile !== '' || files.certFile !== '';
    const texts = hasFiles ? await loadOrFail(() => options.trust.readTexts(files)) : noTexts;
    return {
      request,
      material: undefined,
      proxy,
      texts: { ...texts, clientCertificate: texts.cert, clientKey: texts.key },
    };
  }

  function agentFor(protocol: string): DialingAgent {
    const known = agents.get(protocol);
    if (known !== undefined) return known;
    const agent = new DialingAgent(protocol === 'https:' ? 'https:' : 'http:');
    agents.set(protocol, agent);
    return agent;
  }

  async function exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    const prepared = await prepare(request);
    const agent = agentFor(request.url.protocol);
    try {
      return await attempt(prepared, agent, signal);
    } catch (error) {
      if (!(error instanceof StaleConnectionError)) throw error;
      agent.closeIdle();
    }
    try {
      return await attempt(prepared, agent, signal);
    } catch (error) {
      // A connection that another request had just given back, and the server closed that one too.
      if (error instanceof StaleConnectionError) throw unreachableError(nameOf(request), error);
      throw error;
    }
  }

  return {
    send: async (request, signal) => {
      let next = request;
      for (let hops = 0; ; hops += 1) {
        const response = await exchange(next, signal);
        const redirected = request.redirect === 'manual' ? undefined : redirectOf(next, response);
        if (redirected === undefined) return response;
        response.discard();
        if (hops === MAX_REDIRECTS) throw new ApiError('unreachable', `stopped after ${MAX_REDIRECTS} redirects`);
        next = redirected;
      }
    },
    close: closeIdle,
  };
}

const noTexts = { caText: undefined, cert: '', key: '' };

/** The server closed a kept connection just when it was used again. */
class StaleConnectionError extends Error {}

/** One request on one connection. */
async function attempt(prepared: Exchange, agent: DialingAgent, signal: AbortSignal): Promise<HttpResponse> {
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

function nameOf(request: HttpRequest): string {
  return `${request.method} ${request.url.origin}${request.url.pathname}`;
}

function timedOut(what: string): ApiError {
  return new ApiError('unreachable', `timed out waiting for ${what}`, { retryable: true });
}

function resolveProxy(proxyFor: ProxyResolver, url: URL): URL | undefined {
  try {
    return proxyFor(url);
  } catch (error) {
    throw new ApiError('unreachable', 'The proxy URL of HTTP_PROXY or HTTPS_PROXY cannot be read', { cause: error });
  }
}

async function loadOrFail<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw unreachableError('load the TLS files', error);
  }
}
