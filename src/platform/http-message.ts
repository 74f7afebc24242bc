import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

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
