/**
 * Hands a body on in larger runs, each written before more is read. The pieces are empty afterwards.
 * @throws what the body or `write` throws; an error where nothing came for `stallMs`.
 */
export async function writeBody(
  body: AsyncIterable<Buffer>,
  { bufferBytes, stallMs }: { readonly bufferBytes: number; readonly stallMs: number },
  write: (data: readonly Buffer[], bytes: number) => Promise<void>,
): Promise<void> {
  const pieces = body[Symbol.asyncIterator]();
  let gathered: Buffer[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    const [data, count] = [gathered, bytes];
    gathered = [];
    bytes = 0;
    if (count > 0) await write(data, count);
    for (const piece of data) giveBack(piece);
  };
  try {
    for (;;) {
      const next = await withinTime(pieces.next(), stallMs);
      if (next.done === true) break;
      gathered.push(next.value);
      bytes += next.value.length;
      if (bytes >= bufferBytes) await flush();
    }
  } catch (error) {
    // What came before the break counts: another try goes on behind it.
    await flush();
    throw error;
  }
  await flush();
}

const smallestBytes = 4096;

/** The garbage collector would let a hundred megabytes of network buffers pile up first. Shared memory is left alone. */
function giveBack(piece: Buffer): void {
  const memory = piece.buffer;
  const isAlone = piece.length === memory.byteLength && memory.byteLength > Math.max(smallestBytes, Buffer.poolSize);
  if (isAlone && memory instanceof ArrayBuffer) memory.transfer(0);
}

async function withinTime<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came for ${Math.round(limitMs / 1000)} seconds`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
