import { type ClientRequest, type IncomingMessage, request as startRequest } from 'node:http';
import { type Duplex, pipeline, Readable } from 'node:stream';
import type * as z from 'zod';
import { AbortReason, abortReasonOf } from '../../../lib/abort.ts';
import { DaemonError, type DaemonErrorKind, errorMessage, systemErrorCode } from '../../../lib/errors.ts';
import type { DaemonAgent } from '../../../platform/daemon-connection.ts';
import { chunksOf } from './frames.ts';

/** One call of the Engine API. */
export interface DaemonCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  /** With its version prefix: `/v1.41/containers/json`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly json?: unknown;
  readonly body?: Uint8Array | Readable;
  readonly headers?: Readonly<Record<string, string>>;
  /** The answer may come late (a removal, a stop): no limit for its headers. */
  readonly isSlow?: boolean;
}

export interface DaemonTransport {
  readonly address: string;
  readonly agent: DaemonAgent;
  /** Longest wait for the headers of an answer; undefined = none (local sockets). */
  readonly headerTimeoutMs: number | undefined;
}

const LONGEST_ERROR_BYTES = 64 * 1024;

/** Resolves with an answer of status 2xx or 304. Read its body to the end, or destroy it; the signal destroys it too. */
export async function send(
  transport: DaemonTransport,
  call: DaemonCall,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const isRepeatable = call.method !== 'POST' && !(call.body instanceof Readable);
  let attempt = start(transport, call, signal);
  let answer: IncomingMessage;
  try {
    answer = await attempt.answer;
  } catch (error) {
    // A kept connection that the daemon closed just then.
    if (!isRepeatable || !attempt.request.reusedSocket || !isStale(error)) throw error;
    attempt = start(transport, call, signal);
    answer = await attempt.answer;
  }
  const status = answer.statusCode ?? 0;
  if ((status >= 200 && status < 300) || status === 304) return answer;
  throw await refusal(answer, status);
}

/** An answer's JSON, checked. */
export async function sendForJson<S extends z.ZodType>(
  transport: DaemonTransport,
  call: DaemonCall,
  schema: S,
  signal: AbortSignal,
): Promise<z.output<S>> {
  const answer = await send(transport, call, signal);
  const pieces: Buffer[] = [];
  for await (const piece of chunksOf(answer)) pieces.push(piece);
  return parseAnswer(Buffer.concat(pieces).toString('utf8'), call, schema);
}

/** A call whose answer's body does not matter; its status and headers are returned. */
export async function sendForStatus(
  transport: DaemonTransport,
  call: DaemonCall,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly headers: IncomingMessage['headers'] }> {
  const answer = await send(transport, call, signal);
  for await (const _piece of chunksOf(answer));
  return { status: answer.statusCode ?? 0, headers: answer.headers };
}

/** A call that turns its connection into a raw stream, in both directions. The signal destroys it. */
export async function hijack(transport: DaemonTransport, call: DaemonCall, signal: AbortSignal): Promise<Duplex> {
  const upgrade = { ...call.headers, Connection: 'Upgrade', Upgrade: 'tcp' };
  const { request, answer } = start(transport, { ...call, headers: upgrade }, signal);
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  request.once('upgrade', (_response, socket: Duplex, head: Buffer) => {
    bindSignal(socket, signal);
    if (head.length > 0) socket.unshift(head);
    resolve(socket);
  });
  answer.then(async (response) => {
    const status = response.statusCode ?? 0;
    if (status >= 400) reject(await refusal(response, status));
    else {
      response.destroy();
      reject(new DaemonError('protocol', `the daemon did not open a stream (status ${status})`));
    }
  }, reject);
  return promise;
}

interface Attempt {
  readonly request: ClientRequest;
  readonly answer: Promise<IncomingMessage>;
}

function start(transport: DaemonTransport, call: DaemonCall, signal: AbortSignal): Attempt {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const operation = new AbortController();
  const request = startRequest({
    ...({ dialSignal: operation.signal } as object),
    agent: transport.agent,
    method: call.method,
    path: call.path + queryText(call.query),
    setHost: false,
    headers: headersOf(call),
  });
  let response: IncomingMessage | undefined;
  const end = (reason: Error): void => {
    operation.abort(reason);
    request.destroy(reason);
    response?.destroy(reason);
    reject(reason);
  };
  const onAbort = (): void => end(abortReasonOf(signal));
  const limitMs = call.isSlow === true ? undefined : transport.headerTimeoutMs;
  const timer = limitMs === undefined ? undefined : setTimeout(() => end(silent(transport, limitMs)), limitMs);
  signal.addEventListener('abort', onAbort, { once: true });
  request.once('response', (received) => {
    response = received;
    clearTimeout(timer);
    received.on('error', () => {});
    resolve(received);
  });
  request.once('upgrade', () => clearTimeout(timer));
  request.on('error', (error) => reject(connectionError(transport, error)));
  request.once('close', () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    reject(connectionError(transport, new Error('connection closed')));
  });
  if (signal.aborted) onAbort();
  else writeBody(request, call, (error) => response === undefined && end(connectionError(transport, error)));
  promise.catch(() => {});
  return { request, answer: promise };
}

function writeBody(request: ClientRequest, call: DaemonCall, fail: (error: Error) => void): void {
  if (call.body instanceof Readable) {
    pipeline(call.body, request, (error) => {
      if (error !== null && error !== undefined) fail(error);
    });
  } else if (call.body !== undefined) request.end(call.body);
  else if (call.json !== undefined) request.end(JSON.stringify(call.json));
  else request.end();
}

function headersOf(call: DaemonCall): Record<string, string> {
  const length = call.json === undefined ? undefined : Buffer.byteLength(JSON.stringify(call.json));
  return {
    Host: 'docker',
    'User-Agent': 'millrace',
    ...(length === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': String(length) }),
    ...(call.body === undefined ? {} : { 'Content-Type': 'application/x-tar' }),
    ...(call.body instanceof Uint8Array ? { 'Content-Length': String(call.body.length) } : {}),
    ...(call.method === 'POST' && call.json === undefined && call.body === undefined ? { 'Content-Length': '0' } : {}),
    ...call.headers,
  };
}

function queryText(query: DaemonCall['query']): string {
  const entries = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  if (entries.length === 0) return '';
  return `?${entries.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&')}`;
}

/** Ends a raw stream with the signal, and stops listening when it is over. */
function bindSignal(socket: Duplex, signal: AbortSignal): void {
  const onAbort = (): void => void socket.destroy(abortReasonOf(signal));
  socket.on('error', () => {});
  socket.once('close', () => signal.removeEventListener('abort', onAbort));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
}

function parseAnswer<S extends z.ZodType>(text: string, call: DaemonCall, schema: S): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DaemonError('protocol', `${call.method} ${call.path}: the answer is no JSON: ${text.slice(0, 200)}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue === undefined ? '' : `${issue.path.join('.')}: ${issue.message}`;
  throw new DaemonError('protocol', `${call.method} ${call.path}: the answer is not understood (${where})`);
}

async function refusal(answer: IncomingMessage, status: number): Promise<DaemonError> {
  const text = await errorText(answer);
  if (status >= 300 && status < 400) return new DaemonError('protocol', 'redirects disallowed', { status });
  return new DaemonError(kindOf(status), `Error response from daemon: ${text === '' ? `status ${status}` : text}`, {
    status,
    retryable: status >= 500,
  });
}

function kindOf(status: number): DaemonErrorKind {
  if (status === 400) return 'invalid';
  if (status === 404) return 'not_found';
  if (status === 409) return 'conflict';
  return 'failed';
}

async function errorText(answer: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      text += piece.toString('utf8');
      if (text.length > LONGEST_ERROR_BYTES) break;
    }
  } catch {
    // The status is known.
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'message' in value) return String(value.message).trim();
  } catch {
    // Not JSON: a proxy, or an old daemon.
  }
  return text.trim();
}

function connectionError(transport: DaemonTransport, error: Error): Error {
  if (error instanceof AbortReason || error instanceof DaemonError) return error;
  const { address } = transport;
  const code = systemErrorCode(error);
  if (code === 'EACCES' || code === 'EPERM') {
    return new DaemonError(
      'unreachable',
      `permission denied while trying to connect to the Docker daemon at ${address}`,
      {
        cause: error,
        hint: 'The account of the runner must be allowed to use the socket: add it to the group that owns it.',
      },
    );
  }
  return new DaemonError(
    'unreachable',
    `Cannot connect to the Docker daemon at ${address}. Is the docker daemon running? (${errorMessage(error)})`,
    { cause: error, retryable: true },
  );
}

function isStale(error: unknown): boolean {
  return error instanceof DaemonError && error.kind === 'unreachable';
}

function silent(transport: DaemonTransport, limitMs: number): DaemonError {
  return new DaemonError(
    'unreachable',
    `the Docker daemon at ${transport.address} did not answer within ${limitMs / 1000}s`,
    {
      retryable: true,
    },
  );
}
