import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** What goes wrong with a request. */
export type Cut =
  /** The connection is reset after so many bytes of the body, theirs or ours. */
  | { readonly kind: 'reset'; readonly atByte: number }
  /** The connection ends in good order, but too early. */
  | { readonly kind: 'closed'; readonly atByte: number }
  | { readonly kind: 'refused'; readonly status: number; readonly isEarly: boolean }
  /** Small pieces, each a turn of the event loop after the other. */
  | { readonly kind: 'slow' }
  /** Nothing more happens from so many bytes on; `reached` is told. */
  | { readonly kind: 'halted'; readonly atByte: number; readonly reached: () => void };

export interface StoredBytes {
  readonly content: Buffer;
  readonly etag: string;
}

export interface CutServer {
  readonly url: string;
  /** Whole objects only, by path; `POST` stores the one file of a form. */
  readonly objects: Map<string, StoredBytes>;
  /** How often something was asked. */
  readonly requests: () => number;
  /** What goes wrong with the next requests that move bytes, one each; afterwards all goes well. */
  cut(cuts: readonly Cut[]): void;
  close(): Promise<void>;
}

/** An object store and a coordinator's artifacts in one, with connections that break. */
export async function startCutServer(): Promise<CutServer> {
  const objects = new Map<string, StoredBytes>();
  const sockets = new Set<Socket>();
  let cuts: Cut[] = [];
  let requests = 0;
  let versions = 0;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests += 1;
    request.on('error', () => {});
    response.on('error', () => {});
    const path = URL.parse(request.url ?? '', 'http://host')?.pathname ?? '';
    if (request.method === 'HEAD') {
      sendHead(response, objects.get(path));
      return;
    }
    const cut = cuts.shift();
    if (cut?.kind === 'refused') {
      if (!cut.isEarly) await drain(request);
      response.writeHead(cut.status).end();
      return;
    }
    if (request.method === 'GET') {
      await sendObject(request, response, objects.get(path), cut);
      return;
    }
    const body = await receive(request, response, cut);
    if (body === undefined) return;
    versions += 1;
    const etag = `"version-${versions}"`;
    objects.set(path, { content: request.method === 'POST' ? fileOfForm(body) : body, etag });
    response.writeHead(request.method === 'POST' ? 201 : 200, { etag }).end();
  }

  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    requests: () => requests,
    cut: (next) => {
      cuts = [...next];
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const modified = 'Wed, 01 Jul 2099 10:00:00 GMT';

function sendHead(response: ServerResponse, object: StoredBytes | undefined): void {
  if (object === undefined) response.writeHead(404).end();
  else response.writeHead(200, { etag: object.etag, 'last-modified': modified }).end();
}

async function sendObject(
  request: IncomingMessage,
  response: ServerResponse,
  object: StoredBytes | undefined,
  cut: Cut | undefined,
): Promise<void> {
  if (object === undefined) {
    response.writeHead(404).end();
    return;
  }
  const { content, etag } = object;
  const common = { etag, 'last-modified': modified };
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, common).end();
    return;
  }
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const condition = request.headers['if-range'];
  const isPart = range !== null && (condition === undefined || condition === etag);
  const start = isPart ? Number(range[1]) : 0;
  const end = isPart && range[2] !== '' ? Math.min(content.length, Number(range[2]) + 1) : content.length;
  const described = { ...common, 'content-length': String(end - start) };
  if (isPart) response.writeHead(206, { ...described, 'content-range': `bytes ${start}-${end - 1}/${content.length}` });
  else response.writeHead(200, described);
  await sendBody(response, content.subarray(start, end), cut);
}

async function sendBody(response: ServerResponse, body: Buffer, cut: Cut | undefined): Promise<void> {
  if (cut === undefined || cut.kind === 'refused') {
    response.end(body);
    return;
  }
  if (cut.kind === 'slow') {
    for (let at = 0; at < body.length && !response.destroyed; at += 8192) {
      response.write(body.subarray(at, at + 8192));
      await nextTurn();
    }
    response.end();
    return;
  }
  const { socket } = response;
  const part = body.subarray(0, cut.atByte);
  await new Promise<void>((resolve) => response.write(part, () => resolve()));
  if (cut.kind === 'reset') socket?.resetAndDestroy();
  else if (cut.kind === 'closed') socket?.end();
  else cut.reached();
}

/** The body of a request; undefined where it did not come whole. */
async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  cut: Cut | undefined,
): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    pieces.push(piece);
    bytes += piece.length;
    if (cut?.kind === 'slow') await nextTurn();
    if (cut === undefined || cut.kind === 'slow' || cut.kind === 'refused' || bytes < cut.atByte) continue;
    if (cut.kind === 'halted') {
      cut.reached();
      await new Promise<void>((resolve) => request.socket.once('close', () => resolve()));
    } else if (cut.kind === 'reset') request.socket.resetAndDestroy();
    else response.destroy();
    return undefined;
  }
  return request.complete ? Buffer.concat(pieces) : undefined;
}

async function drain(request: IncomingMessage): Promise<void> {
  for await (const piece of request as AsyncIterable<Buffer>) if (piece.length === 0) return;
}

function fileOfForm(body: Buffer): Buffer {
  const start = body.indexOf('\r\n\r\n') + 4;
  return body.subarray(start, body.lastIndexOf('\r\n--'));
}
