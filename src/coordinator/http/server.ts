import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { AbortReason } from '../../lib/abort.ts';
import { CommandError, errorMessage, systemErrorCode } from '../../lib/errors.ts';
import type { Logger } from '../../observability/logger.ts';
import { callAt } from '../../platform/timers.ts';
import type { FaultInjector } from '../faults/fault-injector.ts';
import { type Answer, errorAnswer } from './answer.ts';
import { answerWithFault } from './faulty-answer.ts';
import { RequestError } from './request-error.ts';
import type { Exchange, Route, RouteMatch } from './router.ts';
import { sendAnswer } from './send.ts';

export interface HttpServerParts {
  readonly route: (method: string, path: string) => RouteMatch;
  /** Asked for what no route takes; true = it answered. */
  readonly fallback: (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;
  /** Looks at every request that a route takes. Must not throw. */
  readonly inspect: (request: IncomingMessage, route: Route) => void;
  readonly faults: FaultInjector;
  readonly logger: Logger;
}

export interface HttpServer {
  readonly port: number;
  /** Ends held requests and streams, lets the others finish for a moment, closes every connection. Idempotent. */
  close(): Promise<void>;
}

/** Longer than any client of ours keeps an idle connection (90 s): the client closes first. */
const keepAliveMs = 120_000;
const closeGraceMs = 5000;
const restTimeoutMs = 30_000;

/**
 * Listens and serves until closed.
 * @throws CommandError when the address cannot be listened on
 */
export async function startHttpServer(
  parts: HttpServerParts,
  listen: { readonly host: string; readonly port: number },
): Promise<HttpServer> {
  const closing = new AbortController();
  const server = createServer({ keepAliveTimeout: keepAliveMs, requestTimeout: 0 }, (request, response) => {
    void serve(parts, request, response, closing.signal);
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  await listenOn(server, listen);
  let closed: Promise<void> | undefined;
  return {
    port: portOf(server),
    close: () => {
      closed ??= closeServer(server, closing);
      return closed;
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return address === null || typeof address === 'string' ? 0 : address.port;
}

/** The root of one request: catches everything. */
async function serve(
  parts: HttpServerParts,
  request: IncomingMessage,
  response: ServerResponse,
  closing: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  const stop = (): void => {
    if (!response.writableFinished) gone.abort(new AbortReason('aborted', 'the client went away'));
  };
  response.once('close', stop);
  request.on('error', stop);
  response.on('error', stop);
  const onClosing = (): void => gone.abort(new AbortReason('finished', 'the coordinator closes'));
  closing.addEventListener('abort', onClosing, { once: true });
  if (closing.aborted) onClosing();
  try {
    await answer(parts, request, response, gone.signal);
  } catch (error) {
    parts.logger.error('a request could not be answered', { error: errorMessage(error) });
    response.destroy();
  } finally {
    closing.removeEventListener('abort', onClosing);
    takeRest(request);
  }
}

/** What the client still sends must be taken, or it never reads the answer; but not for ever. */
function takeRest(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  const stopTimer = callAt(Date.now() + restTimeoutMs, Date.now, () => request.destroy());
  request.once('close', stopTimer);
  request.resume();
}

async function answer(
  parts: HttpServerParts,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const url = URL.parse(request.url ?? '/', 'http://coordinator');
  if (url === null) {
    await sendAnswer(response, errorAnswer(400), signal);
    return;
  }
  const match = parts.route(request.method ?? 'GET', url.pathname);
  if (match.kind !== 'found') {
    if (await parts.fallback(request, response)) return;
    response.setHeader('X-Request-Id', requestIdOf(request));
    await sendAnswer(response, errorAnswer(match.kind === 'absent' ? 404 : 405), signal);
    return;
  }
  response.setHeader('X-Request-Id', requestIdOf(request));
  parts.inspect(request, match.route);
  const exchange: Exchange = { request, url, params: match.params, signal };
  const fault = parts.faults.pick(match.route.faultEndpoint);
  const handle = (): Promise<Answer> => handleSafely(parts, match.route, exchange);
  if (fault === undefined) await sendAnswer(response, await handle(), signal);
  else await answerWithFault(fault, exchange, response, handle);
}

async function handleSafely(parts: HttpServerParts, route: Route, exchange: Exchange): Promise<Answer> {
  try {
    return await route.handle(exchange);
  } catch (error) {
    if (error instanceof RequestError) {
      return errorAnswer(error.status, `${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`);
    }
    // A client that went away in the middle of its body is no trouble of ours.
    if (!exchange.signal.aborted) {
      parts.logger.error('a request failed', { path: route.path, error: errorMessage(error) });
    }
    return errorAnswer(500);
  }
}

function requestIdOf(request: IncomingMessage): string {
  const sent = request.headers['x-request-id'];
  if (typeof sent === 'string' && /^[\w-]{1,100}$/.test(sent)) return sent;
  return randomUUID().replaceAll('-', '');
}

async function listenOn(server: Server, listen: { readonly host: string; readonly port: number }): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const where = `${listen.host}:${listen.port}`;
      const hint =
        systemErrorCode(error) === 'EADDRINUSE'
          ? { hint: 'Another program listens there. Choose another port with --listen.' }
          : {};
      reject(new CommandError(`Cannot listen on ${where}: ${errorMessage(error)}`, { cause: error, ...hint }));
    });
    server.listen(listen.port, listen.host, resolve);
  });
  server.removeAllListeners('error');
  server.on('error', () => {});
}

async function closeServer(server: Server, closing: AbortController): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  closing.abort(new AbortReason('finished', 'the coordinator closes'));
  server.closeIdleConnections();
  const stopTimer = callAt(Date.now() + closeGraceMs, Date.now, () => server.closeAllConnections());
  // A connection becomes idle when its last answer is out.
  const sweep = setInterval(() => server.closeIdleConnections(), 20);
  await closed;
  clearInterval(sweep);
  stopTimer();
}
