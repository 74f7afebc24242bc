import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface UploadSink {
  readonly url: string;
  /** Bytes of bodies so far. */
  received(): number;
  close(): Promise<void>;
}

/** A server that takes every upload, looks at nothing, and has every object it is asked for. */
export async function startUploadSink(): Promise<UploadSink> {
  let receivedBytes = 0;
  const server = createServer((request, response) => {
    request.on('data', (piece: Buffer) => {
      receivedBytes += piece.length;
    });
    request.once('end', () => {
      response.writeHead(request.method === 'POST' ? 201 : 200).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: () => receivedBytes,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
