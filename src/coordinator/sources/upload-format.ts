import { z } from 'zod';

/**
 * Body of `POST …/pipelines/:id/sources` from a client on another machine: one line of JSON, then bytes. A repository
 * is a git bundle; an LFS object follows its repository; `complete` ends the upload.
 */
export const sourcesUploadType = 'application/x-millrace-sources';

const objectId = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);

export const uploadHeaderSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('repository'),
    path: z.string().min(1),
    object_format: z.enum(['sha1', 'sha256']),
    /** Commit that jobs check out. */
    sha: objectId,
    refs: z.array(z.object({ name: z.string().regex(/^refs\/[^\s\u0000-\u001f\u007f]+$/), sha: objectId })),
    shallow: z.array(objectId),
  }),
  z.object({ kind: z.literal('lfs'), path: z.string().min(1), oid: z.string().regex(/^[0-9a-f]{64}$/) }),
  z.object({ kind: z.literal('complete') }),
]);

export type UploadHeader = z.output<typeof uploadHeaderSchema>;
export type RepositoryHeader = Extract<UploadHeader, { kind: 'repository' }>;

const longestHeaderBytes = 64 * 1024 * 1024;

/**
 * Cuts a body into its line of JSON and the bytes after it.
 * @throws Error where there is no line, or it is too long.
 */
export async function splitUpload(
  body: AsyncIterable<Buffer>,
): Promise<{ readonly header: unknown; readonly content: AsyncIterable<Buffer> }> {
  const iterator = body[Symbol.asyncIterator]();
  let start = Buffer.alloc(0);
  for (;;) {
    const end = start.indexOf(0x0a);
    if (end !== -1) {
      const header: unknown = JSON.parse(start.toString('utf8', 0, end));
      return { header, content: rest(start.subarray(end + 1), iterator) };
    }
    if (start.length > longestHeaderBytes) throw new Error('the first line is too long');
    const next = await iterator.next();
    if (next.done === true) throw new Error('the first line has no end');
    start = Buffer.concat([start, next.value]);
  }
}

async function* rest(first: Buffer, iterator: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first;
  for (;;) {
    const next = await iterator.next();
    if (next.done === true) return;
    yield next.value;
  }
}
