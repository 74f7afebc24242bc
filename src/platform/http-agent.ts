import { Agent, type ClientRequestArgs } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { type DialTarget, dial } from './http-dial.ts';

const IDLE_TIMEOUT_MS = 90_000;
const MAX_IDLE_PER_HOST = 2;
const MAX_IDLE = 100;

/** Private options that travel with a request to the connection that is opened for it. */
export interface DialOptions {
  readonly dialSecureContext: SecureContext | undefined;
  readonly dialProxy: URL | undefined;
  readonly dialSignal: AbortSignal;
}

type Opened = (error: Error | null, stream: Duplex) => void;

/** A pool of keep-alive connections that opens them with `dial`. */
export class DialingAgent extends Agent {
  readonly protocol: string;
  readonly defaultPort: number;

  constructor(protocol: 'http:' | 'https:') {
    super({
      keepAlive: true,
      maxFreeSockets: MAX_IDLE_PER_HOST,
      maxTotalSockets: MAX_IDLE * 10,
      timeout: IDLE_TIMEOUT_MS,
    });
    this.protocol = protocol;
    this.defaultPort = protocol === 'https:' ? 443 : 80;
  }

  override createConnection(options: ClientRequestArgs, callback?: Opened): undefined {
    const { dialSecureContext, dialProxy, dialSignal } = options as ClientRequestArgs & DialOptions;
    const target: DialTarget = {
      host: (options.host ?? options.hostname ?? '').replace(/^\[|\]$/g, ''),
      port: Number(options.port ?? this.defaultPort),
      secureContext: dialSecureContext,
      proxy: dialProxy,
    };
    void open(target, dialSignal, callback);
  }

  /** Closes connections that no request uses. */
  closeIdle(): void {
    for (const sockets of Object.values(this.freeSockets)) for (const socket of sockets ?? []) destroy(socket);
  }
}

async function open(target: DialTarget, signal: AbortSignal, opened: Opened | undefined): Promise<void> {
  let socket: Socket;
  try {
    socket = await dial(target, signal);
  } catch (error) {
    (opened as ((error: Error) => void) | undefined)?.(error as Error);
    return;
  }
  opened?.(null, socket);
}

function destroy(socket: Socket): void {
  socket.destroy();
}
