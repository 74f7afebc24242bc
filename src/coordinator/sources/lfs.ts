import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import * as z from 'zod';
import { fileSize, readFileRange } from '../../platform/source-files.ts';
import { sendJson } from './send.ts';
import { readBody } from './upload-pack.ts';

/** Git LFS batch API: https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md */
const batchRequest = z.object({
  operation: z.string(),
  objects: z.array(z.object({ oid: z.string(), size: z.number() })),
  hash_algo: z.string().default('sha256'),
});

const longestBatchBytes = 8 * 1024 * 1024;
const lfsJson = 'application/vnd.git-lfs+json';

/** Says where the objects are that a job asks for: here. */
export async function answerBatch(
  stores: readonly string[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parsed = batchRequest.safeParse(parseJson(await readBody(request, longestBatchBytes)));
  if (!parsed.success || parsed.data.hash_algo !== 'sha256') {
    sendJson(response, 422, { message: 'not a batch request that this server understands' }, lfsJson);
    return;
  }
  if (parsed.data.operation !== 'download') {
    sendJson(response, 403, { message: 'the sources of a pipeline are read-only' }, lfsJson);
    return;
  }
  const base = objectsUrl(request);
  const authorization = request.headers.authorization ?? '';
  const objects = await Promise.all(
    parsed.data.objects.map(async ({ oid, size }) => {
      const found = await findObject(stores, oid);
      if (found === undefined) {
        const message = 'the object is not in the LFS store of the checkout; "git lfs fetch" there may bring it';
        return { oid, size, error: { code: 404, message } };
      }
      const download = { href: `${base}/${oid}`, header: { Authorization: authorization } };
      return { oid, size: found.sizeBytes, authenticated: true, actions: { download } };
    }),
  );
  sendJson(response, 200, { transfer: 'basic', objects, hash_algo: 'sha256' }, lfsJson);
}

/** Sends an object, from an offset on where the client has the beginning already. */
export async function sendObject(
  stores: readonly string[],
  oid: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const found = await findObject(stores, oid);
  if (found === undefined) {
    sendJson(response, 404, { message: 'no such object' }, lfsJson);
    return;
  }
  const { path, sizeBytes } = found;
  const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (start > 0 && start >= sizeBytes) {
    response.writeHead(416, { 'Content-Range': `bytes */${sizeBytes}` }).end();
    return;
  }
  const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': String(sizeBytes - start) };
  if (start === 0) response.writeHead(200, headers);
  else response.writeHead(206, { ...headers, 'Content-Range': `bytes ${start}-${sizeBytes - 1}/${sizeBytes}` });
  await pipeline(readFileRange(path, start, sizeBytes), response);
}

async function findObject(
  stores: readonly string[],
  oid: string,
): Promise<{ readonly path: string; readonly sizeBytes: number } | undefined> {
  if (!/^[0-9a-f]{64}$/.test(oid)) return undefined;
  for (const store of stores) {
    const path = join(store, 'objects', oid.slice(0, 2), oid.slice(2, 4), oid);
    const sizeBytes = await fileSize(path);
    if (sizeBytes !== undefined) return { path, sizeBytes };
  }
  return undefined;
}

/** The batch endpoint lies beside the objects; the client reached us by the name it gives. */
function objectsUrl(request: IncomingMessage): string {
  const isEncrypted = 'encrypted' in request.socket && request.socket.encrypted === true;
  const forwarded = request.headers['x-forwarded-proto'];
  const scheme =
    typeof forwarded === 'string' && /^https?$/.test(forwarded) ? forwarded : isEncrypted ? 'https' : 'http';
  const url = new URL(request.url ?? '/', `${scheme}://${request.headers.host ?? 'localhost'}`);
  return `${url.origin}${url.pathname.replace(/\/batch$/, '')}`;
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
