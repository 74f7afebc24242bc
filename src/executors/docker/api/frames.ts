import type { Readable } from 'node:stream';
import { AbortReason } from '../../../lib/abort.ts';
import { DaemonError, errorMessage } from '../../../lib/errors.ts';
import type { OutputFrame } from './docker-client.ts';

const HEADER_BYTES = 8;
const SYSTEM_ERROR = 3;

/**
 * Takes the daemon's multiplexed output apart: frames of a type byte, three zero bytes, a length in four bytes and
 * that much output. Pieces of a frame are passed on as they come, so that a big one needs no buffer.
 * @throws DaemonError when the connection breaks, inside a frame too, or the daemon reports an error in the stream.
 */
export async function* demultiplex(source: Readable): AsyncGenerator<OutputFrame> {
  let header = Buffer.alloc(0);
  let left = 0;
  let type = 0;
  let complaint = '';
  for await (const chunk of chunksOf(source)) {
    let rest = chunk;
    while (rest.length > 0) {
      if (left === 0) {
        const taken = rest.subarray(0, HEADER_BYTES - header.length);
        rest = rest.subarray(taken.length);
        header = Buffer.concat([header, taken]);
        if (header.length < HEADER_BYTES) continue;
        type = header[0] ?? 0;
        left = header.readUInt32BE(4);
        header = Buffer.alloc(0);
        if (type > SYSTEM_ERROR)
          throw new DaemonError('protocol', `the daemon sent output of the unknown kind ${type}`);
        continue;
      }
      const bytes = rest.subarray(0, left);
      rest = rest.subarray(bytes.length);
      left -= bytes.length;
      if (type === SYSTEM_ERROR) complaint += bytes.toString('utf8');
      else yield { stream: type === 2 ? 'stderr' : 'stdout', bytes };
    }
    if (complaint !== '' && left === 0) throw new DaemonError('failed', complaint.trim());
  }
  if (left > 0 || header.length > 0) throw new DaemonError('unreachable', 'the output of the daemon broke off');
}

/** Output of a terminal: not framed. */
export async function* plainFrames(source: Readable): AsyncGenerator<OutputFrame> {
  for await (const bytes of chunksOf(source)) if (bytes.length > 0) yield { stream: 'stdout', bytes };
}

/** The chunks of a connection; its errors as ours. */
export async function* chunksOf(source: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    throw streamError(error);
  }
}

/** An error of a stream that was good before. */
export function streamError(error: unknown): Error {
  if (error instanceof AbortReason || error instanceof DaemonError) return error;
  return new DaemonError('unreachable', `the connection to the Docker daemon broke: ${errorMessage(error)}`, {
    cause: error,
    retryable: true,
  });
}
