import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface ConnectProxy {
  readonly url: string;
  /** What was asked for, `host:port` each. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/**
 * An HTTP proxy that only knows CONNECT, and leads each name to a port of this machine: so a program reaches a test's
 * server under a public host name, with nothing of the system changed.
 */
export async function startConnectProxy(targets: Readonly<Record<string, number>>): Promise<ConnectProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((_request, response) => {
    response.writeHead(405).end('only CONNECT');
  });
  server.on('connect', (request, client: Socket) => {
    const name = request.url ?? '';
    asked.push(name);
    const port = portOf(name, targets);
    if (port === undefined) {
      client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      return;
    }
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {
        client.destroy();
        upstream.destroy();
      });
      socket.on('close', () => sockets.delete(socket));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A target `.example.com:443` stands for all names that end so. */
function portOf(name: string, targets: Readonly<Record<string, number>>): number | undefined {
  const found = Object.entries(targets).find(
    ([target]) => target === name || (target.startsWith('.') && name.endsWith(target)),
  );
  return found?.[1];
}
