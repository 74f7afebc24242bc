import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { checkSignature, type SignatureKeys } from './signature-v4.ts';

export interface OssServerOptions extends SignatureKeys {
  readonly bucket: string;
  /** `oss-cn-hangzhou.aliyuncs.com` */
  readonly endpoint: string;
  readonly certificate: { readonly cert: string; readonly key: string };
}

export interface OssServer {
  readonly port: number;
  /** `METHOD host path → status code`, in order. */
  readonly requests: readonly string[];
  readonly objects: ReadonlyMap<string, OssObject>;
  close(): Promise<void>;
}

export interface OssObject {
  readonly content: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Object storage as strict as Alibaba Cloud's: the bucket has to be in the host name, signatures V4 are checked to the
 * last header, bodies come as they are (no chunks with signatures, no checksums behind them).
 */
export async function startOssServer(options: OssServerOptions): Promise<OssServer> {
  const objects = new Map<string, OssObject>();
  const requests: string[] = [];
  const server = createServer(options.certificate, (request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('error', () => response.destroy());
    request.on('end', () => {
      const answer = answerTo(request, Buffer.concat(pieces), objects, options);
      requests.push(
        `${request.method} ${request.headers.host} ${request.url?.split('?')[0]} → ${answer.status}${answer.code}`,
      );
      send(request, response, answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    objects,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Answer {
  readonly status: number;
  /** Empty, or a blank and the error's code. */
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

function answerTo(
  request: IncomingMessage,
  body: Buffer,
  objects: Map<string, OssObject>,
  options: OssServerOptions,
): Answer {
  const { host = '' } = request.headers;
  if (host === options.endpoint) {
    return refusal(403, 'SecondLevelDomainForbidden', 'Please use virtual hosted style to access.');
  }
  if (host !== `${options.bucket}.${options.endpoint}`) return refusal(404, 'NoSuchBucket', `no bucket at ${host}`);
  const foreign = foreignHeader(request);
  if (foreign !== undefined) return refusal(400, 'InvalidArgument', `${foreign} is not supported`);
  const hash = createHash('sha256').update(body).digest('hex');
  const declared = request.headers['x-amz-content-sha256'];
  if (typeof declared === 'string' && declared !== 'UNSIGNED-PAYLOAD' && declared !== hash) {
    return refusal(400, 'XAmzContentSHA256Mismatch', 'the body is not the one that was signed');
  }
  const isInHeader = request.headers.authorization !== undefined;
  if (isInHeader && declared === undefined) return refusal(400, 'InvalidArgument', 'x-amz-content-sha256 is missing');
  const problem = checkSignature(request, String(declared ?? 'UNSIGNED-PAYLOAD'), options, Date.now());
  if (problem !== undefined) return refusal(403, problem.code, problem.message);
  return perform(request, body, objects);
}

/** What newer S3 clients add by themselves. */
function foreignHeader({ headers, url = '' }: IncomingMessage): string | undefined {
  if ((headers['content-encoding'] ?? '').includes('aws-chunked')) return 'aws-chunked';
  if (String(headers['x-amz-content-sha256'] ?? '').startsWith('STREAMING-')) return 'a streaming signature';
  if (/x-amz-checksum/i.test(url)) return 'a checksum in the query';
  return Object.keys(headers).find((name) => /^(?:x-amz-(?:checksum|trailer|sdk-checksum)|trailer)/.test(name));
}

function perform(request: IncomingMessage, body: Buffer, objects: Map<string, OssObject>): Answer {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const name = decodeURIComponent(path.slice(1));
  if (name === '' && new URLSearchParams(query).has('location')) {
    return xml(200, '<LocationConstraint>oss-cn-hangzhou</LocationConstraint>');
  }
  if (request.method === 'PUT') {
    const kept = Object.entries(request.headers).filter(
      ([key]) => key === 'content-type' || key.startsWith('x-amz-meta-'),
    );
    objects.set(name, {
      content: body,
      headers: {
        ...(Object.fromEntries(kept) as Record<string, string>),
        etag: `"${createHash('md5').update(body).digest('hex').toUpperCase()}"`,
        'last-modified': new Date().toUTCString(),
      },
    });
    return {
      status: 200,
      code: '',
      headers: { etag: objects.get(name)?.headers['etag'] ?? '' },
      body: Buffer.alloc(0),
    };
  }
  const object = objects.get(name);
  if (object === undefined) return refusal(404, 'NoSuchKey', 'The specified key does not exist.');
  return read(request, object);
}

function read({ headers }: IncomingMessage, { content, headers: own }: OssObject): Answer {
  if (headers['if-match'] !== undefined && headers['if-match'] !== own['etag']) {
    return refusal(412, 'PreconditionFailed', 'the object is another one');
  }
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  if (first === undefined || last === undefined) return { status: 200, code: '', headers: own, body: content };
  const end = Math.min(Number(last), content.length - 1);
  const range = `bytes ${first}-${end}/${content.length}`;
  const body = content.subarray(Number(first), end + 1);
  return { status: 206, code: '', headers: { ...own, 'content-range': range }, body };
}

function refusal(status: number, code: string, message: string): Answer {
  return { ...xml(status, `<Error><Code>${code}</Code><Message>${message}</Message></Error>`), code: ` ${code}` };
}

function xml(status: number, text: string): Answer {
  const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${text}`);
  return { status, code: '', headers: { 'content-type': 'application/xml' }, body };
}

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'content-length': body.length, 'x-oss-request-id': 'TEST' });
  response.end(request.method === 'HEAD' ? undefined : body);
}
