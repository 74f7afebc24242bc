import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { AbortReason } from '../lib/abort.ts';
import { ExternalDependencyError, errorMessage } from '../lib/errors.ts';
import { headerOf } from '../platform/http-answer.ts';
import { inspectFile, streamFile } from '../platform/staged-file.ts';
import { recordRemote } from './cache-manifest.ts';
import type { CacheTransfer, ProgressSink, RepeatedTransfer } from './cache-transfer.ts';
import { cleanUrl, headPresigned, refuse, sendPresigned } from './presigned-request.ts';
import { isRemoteOutdated } from './up-to-date.ts';

/**
 * Whether the archive lies remotely, as far as that can be told; an answer that says nothing counts as no
 * (spec cache-artifacts.md §9.3).
 */
export async function isStoredRemotely(
  checkUrl: string,
  archivePath: string,
  transfer: CacheTransfer,
  signal: AbortSignal,
): Promise<boolean> {
  if (checkUrl === '') return false;
  try {
    const response = await headPresigned(checkUrl, transfer, signal);
    return response.status === 200 && !(await isRemoteOutdated(archivePath, headerOf(response, 'etag')));
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    const message = 'Failed to check primary cache existence via HEAD request, assuming absent';
    transfer.log.warn(message, { error: errorMessage(error) });
    return false;
  }
}

/** Sends the archive to its object. */
export function presignedUpload(
  target: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
  archivePath: string,
  transfer: CacheTransfer,
): RepeatedTransfer {
  return {
    attempt: async (signal) => {
      transfer.log.info('Using presigned URL for cache upload');
      transfer.log.info(`Uploading ${basename(archivePath)} to ${cleanUrl(target.url)}`);
      const file = inspectFile(archivePath);
      if (file === undefined) throw new ExternalDependencyError(`the cache archive ${archivePath} is gone`);
      const progress = transfer.progress('Uploading cache', file.sizeBytes);
      try {
        const request = {
          method: 'PUT',
          url: target.url,
          headers: uploadHeaders(target.headers, file),
          body: () => Readable.from(counted(streamFile(archivePath), progress), { objectMode: false }),
          // Object stores answer only when a large object is stored.
          headerTimeoutMs: transfer.timeoutMs,
        };
        const response = await sendPresigned(request, transfer, signal);
        if (response.status < 200 || response.status > 299) await refuse(response);
        response.discard();
        await recordRemote(archivePath, headerOf(response, 'etag'), file);
      } finally {
        progress.end();
      }
    },
    close: async () => {},
  };
}

async function* counted(pieces: AsyncIterable<Buffer>, progress: ProgressSink): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    yield piece;
    progress.add(piece.length);
  }
}

/** Headers the signature covers are sent as given; the host is the URL's. */
function uploadHeaders(
  given: Readonly<Record<string, string>>,
  file: { readonly sizeBytes: number; readonly modifiedMs: number },
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (!['host', 'content-length'].includes(name.toLowerCase())) headers[name] = value;
  }
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  if (!names.has('content-type')) headers['Content-Type'] = 'application/octet-stream';
  if (!names.has('last-modified')) headers['Last-Modified'] = new Date(file.modifiedMs).toUTCString();
  headers['Content-Length'] = String(file.sizeBytes);
  return headers;
}
