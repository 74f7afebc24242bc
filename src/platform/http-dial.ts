import { request as httpRequest } from 'node:http';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import { abortReasonOf } from '../lib/abort.ts';
import { ApiError, errorMessage } from '../lib/errors.ts';

const DIAL_TIMEOUT_MS = 30_000;
const TLS_HANDSHAKE_TIMEOUT_MS = 10_000;
const TCP_KEEP_ALIVE_MS = 30_000;

export interface DialTarget {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  /** Present for https. */
  readonly secureContext: SecureContext | undefined;
  readonly proxy: URL | undefined;
}

/**
 * Opens a connection that is ready for an HTTP request: TCP, through a proxy where one is named, then TLS.
 * @throws ApiError `unreachable`; the signal's reason when it is aborted.
 */
export async function dial(target: DialTarget, signal: AbortSignal): Promise<Socket> {
  const { proxy, secureContext } = target;
  if (proxy === undefined) {
    const socket = await openTcp(target.host, target.port, signal);
    return secureContext === undefined ? socket : await secure(socket, target.host, secureContext, signal);
  }
  const toProxy = await openProxy(proxy, secureContext, signal);
  if (secureContext === undefined) return toProxy;
  const tunnel = await openTunnel(toProxy, proxy, target, signal);
  return secure(tunnel, target.host, secureContext, signal);
}

/** The value of `Proxy-Authorization`, where the proxy's URL holds a user. */
export function proxyAuthorization(proxy: URL): string | undefined {
  if (proxy.username === '' && proxy.password === '') return undefined;
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return `Basic ${Buffer.from(user).toString('base64')}`;
}

async function openProxy(proxy: URL, context: SecureContext | undefined, signal: AbortSignal): Promise<Socket> {
  if (proxy.protocol !== 'http:' && proxy.protocol !== 'https:') {
    throw new ApiError('unreachable', `Proxy scheme ${proxy.protocol.slice(0, -1)} is not supported`, {
      hint: 'Use an http:// or https:// proxy in HTTP_PROXY and HTTPS_PROXY.',
    });
  }
  const isSecure = proxy.protocol === 'https:';
  const port = proxy.port === '' ? (isSecure ? 443 : 80) : Number(proxy.port);
  const host = proxy.hostname.replace(/^\[|\]$/g, '');
  const socket = await openTcp(host, port, signal);
  return isSecure ? await secure(socket, host, context, signal) : socket;
}

function openTcp(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const socket = connectTcp({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS });
  return ready(socket, 'connect', `connect to ${hostPort(host, port)}`, DIAL_TIMEOUT_MS, signal);
}

function secure(
  socket: Socket,
  host: string,
  context: SecureContext | undefined,
  signal: AbortSignal,
): Promise<Socket> {
  const secured = connectTls({
    socket,
    host,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    ...(context === undefined ? {} : { secureContext: context }),
    ...(isIP(host) === 0 ? { servername: host } : {}),
  });
  return ready(secured, 'secureConnect', `TLS handshake with ${host}`, TLS_HANDSHAKE_TIMEOUT_MS, signal);
}

/** Waits for the socket's event; destroys the socket when that fails. */
async function ready(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  what: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => reject(abortReasonOf(signal));
  const onError = (error: Error): void => reject(unreachableError(what, error));
  const onClose = (): void => reject(unreachableError(what, new Error('connection closed')));
  const timer = setTimeout(() => reject(unreachableError(what, new Error('timed out'))), timeoutMs);
  signal.addEventListener('abort', onAbort, { once: true });
  socket.once(event, resolve).on('error', onError).once('close', onClose);
  if (signal.aborted) onAbort();
  try {
    await promise;
    return socket;
  } catch (error) {
    socket.on('error', () => {});
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    socket.off('error', onError).off('close', onClose).off(event, resolve);
  }
}

/** `CONNECT` through an http(s) proxy. */
async function openTunnel(socket: Socket, proxy: URL, target: DialTarget, signal: AbortSignal): Promise<Socket> {
  const authority = hostPort(target.host, target.port);
  const authorization = proxyAuthorization(proxy);
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const onAbort = (): void => reject(abortReasonOf(signal));
  const fail = (error: Error): void => reject(unreachableError(`connect to ${authority} through the proxy`, error));
  const request = httpRequest({
    method: 'CONNECT',
    path: authority,
    createConnection: () => socket,
    headers: { Host: authority, ...(authorization === undefined ? {} : { 'Proxy-Authorization': authorization }) },
    timeout: DIAL_TIMEOUT_MS,
  });
  signal.addEventListener('abort', onAbort, { once: true });
  request.on('timeout', () => fail(new Error('the proxy did not answer')));
  request.on('error', fail);
  request.on('response', (response) => fail(new Error(`the proxy answered ${response.statusCode ?? 0}`)));
  request.on('connect', (response, tunnel) => {
    if (response.statusCode === 200) resolve(tunnel);
    else fail(new Error(`the proxy answered ${response.statusCode ?? 0} ${response.statusMessage ?? ''}`.trimEnd()));
  });
  request.end();
  try {
    return await promise;
  } catch (error) {
    request.destroy();
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** An error of the transport with what was tried, and the first cause of several attempts. */
export function unreachableError(what: string, error: unknown): ApiError {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  return new ApiError('unreachable', `${what}: ${errorMessage(first)}`, { cause: error, retryable: true });
}

export function hostPort(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
