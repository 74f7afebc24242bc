import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Local port of the client: tells connections apart. */
  readonly clientPort: number;
  /** Ends the connection without an answer. */
  readonly reset: () => void;
}

export type Script = (request: SeenRequest, response: ServerResponse) => void | Promise<void>;

export interface ScriptedServer {
  readonly url: string;
  readonly port: number;
  readonly seen: readonly SeenRequest[];
  /** Replaces what is answered from now on. */
  answer(script: Script): void;
  /** Waits until enough matching requests have come; the newest of them. Fails after ten seconds. */
  until(matches: (request: SeenRequest) => boolean, count?: number): Promise<SeenRequest>;
  /** Ends connections that carry no request at the moment. */
  dropIdleConnections(): void;
  close(): Promise<void>;
}

/** A real HTTP(S) server on loopback that answers as a test says and remembers what it was asked. */
export async function startScriptedServer(script: Script, tls?: ServerOptions): Promise<ScriptedServer> {
  const seen: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  let current = script;
  let wake = (): void => {};

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    request.on('error', () => {});
    response.on('error', () => {});
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const entry: SeenRequest = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
      clientPort: request.socket.remotePort ?? 0,
      reset: () => request.socket.resetAndDestroy(),
    };
    seen.push(entry);
    wake();
    await current(entry, response);
  }

  const server = tls === undefined ? createServer() : createTlsServer(tls);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
  });
  server.on('request', (request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    seen,
    answer: (next) => {
      current = next;
    },
    until: async (matches, count = 1) => {
      const deadline = AbortSignal.timeout(10_000);
      for (;;) {
        const found = seen.filter(matches);
        const newest = found.at(-1);
        if (found.length >= count && newest !== undefined) return newest;
        if (deadline.aborted) throw new Error(`${found.length} of ${count} expected requests came`);
        await new Promise<void>((resolve) => {
          wake = resolve;
          deadline.addEventListener('abort', () => resolve(), { once: true });
        });
      }
    },
    dropIdleConnections: () => server.closeIdleConnections(),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Answers with JSON. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** Answers with a status alone. */
export function sendStatus(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, headers);
  response.end();
}
