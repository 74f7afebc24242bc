import { Readable } from 'node:stream';
import { randomHex } from '../platform/random.ts';

/** A form with one file, streamed; its length is not known beforehand. */
export interface FileForm {
  readonly contentType: string;
  /** A new body for each time the request is sent; all have the same boundary. */
  open(): Readable;
}

/** @param content called for each body. */
export function fileForm(fileName: string, content: () => AsyncIterable<Buffer>): FileForm {
  const boundary = randomHex(30);
  const escaped = fileName.replace(/[\\"]/g, '\\$&').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const head =
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${escaped}"\r\n` +
    'Content-Type: application/octet-stream\r\n\r\n';
  async function* pieces(): AsyncGenerator<Buffer> {
    yield Buffer.from(head, 'utf8');
    yield* content();
    yield Buffer.from(`\r\n--${boundary}--\r\n`, 'utf8');
  }
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    open: () => Readable.from(pieces(), { objectMode: false, highWaterMark: 256 * 1024 }),
  };
}
