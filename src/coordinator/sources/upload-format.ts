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
