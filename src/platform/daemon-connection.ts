import { Agent, type ClientRequestArgs } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { abortReasonOf } from '../lib/abort.ts';
import { CommandStream } from './command-stream.ts';
import { dial } from './http-dial.ts';
import type { Command } from './run-command.ts';

/** How a container daemon is reached. */
export type DaemonEndpoint =
  /** Unix socket or Windows named pipe. */
  | { readonly kind: 'socket'; readonly path: string }
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly tls: SecureContext | undefined;
      readonly proxy: URL | undefined;
    }
  /** A process whose standard streams are the connection. */
  | { readonly kind: 'command'; readonly command: Command };

const SOCKET_DIAL_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 10_000;
const MAX_IDLE_CONNECTIONS = 8;

type Opened = (error: Error | null, stream: Duplex) => void;

/** A pool of connections to one daemon, for `node:http`. Requests give it their signal as `dialSignal`. */
export class DaemonAgent extends Agent {
  readonly #endpoint: DaemonEndpoint;

  constructor(endpoint: DaemonEndpoint) {
    super({ keepAlive: true, maxFreeSockets: MAX_IDLE_CONNECTIONS, timeout: IDLE_TIMEOUT_MS });
    this.#endpoint = endpoint;
  }

  override createConnection(options: ClientRequestArgs, callback?: Opened): undefined {
    const { dialSignal } = options as ClientRequestArgs & { readonly dialSignal: AbortSignal };
    void this.#open(dialSignal, callback);
  }

  async #open(signal: AbortSignal, opened: Opened | undefined): Promise<void> {
    let stream: Duplex;
    try {
      stream = await openDaemonConnection(this.#endpoint, signal);
    } catch (error) {
      (opened as ((error: Error) => void) | undefined)?.(error as Error);
      return;
    }
    opened?.(null, stream);
  }

  /** Closes connections that no request uses. */
  closeIdle(): void {
    for (const sockets of Object.values(this.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }
}

/** @throws the system's error when the daemon is not there; the signal's reason. */
export async function openDaemonConnection(endpoint: DaemonEndpoint, signal: AbortSignal): Promise<Duplex> {
  if (signal.aborted) throw abortReasonOf(signal);
  switch (endpoint.kind) {
    case 'socket':
      return openSocket(endpoint.path, signal);
    case 'tcp':
      return dial(
        { host: endpoint.host, port: endpoint.port, secureContext: endpoint.tls, proxy: endpoint.proxy },
        signal,
      );
    case 'command':
      return new CommandStream(endpoint.command);
  }
}

async function openSocket(path: string, signal: AbortSignal): Promise<Duplex> {
  const socket = connect({ path });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => reject(abortReasonOf(signal));
  const timer = setTimeout(() => reject(new Error('timed out')), SOCKET_DIAL_TIMEOUT_MS);
  signal.addEventListener('abort', onAbort, { once: true });
  socket.once('connect', resolve).once('error', reject);
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
    socket.off('connect', resolve).off('error', reject);
  }
}
