import { ArchiveError } from '../archive-error.ts';
import type { ArchiveFormat, WriteRequest } from '../archive-format.ts';
import { openSource } from '../stream/file-chunks.ts';
import { inOrder, type Step } from '../stream/in-order.ts';

/** The bytes of exactly one file (spec cache-artifacts.md §3.6). Never unpacked. */
export const rawFormat: ArchiveFormat = { name: 'raw', fileExtension: '', write: writeRaw };

async function* writeRaw(request: WriteRequest, signal: AbortSignal): AsyncGenerator<Buffer> {
  const [entry, second] = request.entries;
  if (entry === undefined) return;
  if (second !== undefined) throw new ArchiveError('only one file can be sent as raw');
  if (entry.facts.kind !== 'file') throw new ArchiveError(`the "${entry.path}" is not a regular file`);
  const source = openSource(request.root, entry.path, request.problem);
  if (source === undefined) throw new ArchiveError(`the "${entry.path}" is gone`);
  function* steps(from: NonNullable<typeof source>): Generator<Step<Buffer>> {
    for (let index = 0; index < from.chunkCount; index += 1) yield { run: () => from.readChunk(index), weight: 1 };
  }
  try {
    // Two ahead: the next piece is read while one is sent.
    for await (const piece of inOrder(steps(source), { weight: 2, count: 2 }, signal))
      if (piece.length > 0) yield piece;
  } finally {
    source.close();
  }
}
