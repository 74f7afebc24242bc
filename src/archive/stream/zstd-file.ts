import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import type { SourceFile } from './file-chunks.ts';

/**
 * Compresses a large file into one zstd frame, in one thread: several would make several frames, which not every reader
 * of a ZIP takes as one file, and the library's own threads do not get on with Node's streams. Closes the file.
 * @param seen gets the content, piece by piece in order.
 */
export async function* zstdFile(
  source: SourceFile,
  settings: { readonly level: number; readonly seen: (raw: Buffer) => void },
): AsyncGenerator<Buffer> {
  const encoder = createZstdCompress({
    params: {
      [constants.ZSTD_c_compressionLevel]: settings.level,
      [constants.ZSTD_c_checksumFlag]: 1,
    },
    chunkSize: 256 * 1024,
  });
  async function* content(): AsyncGenerator<Buffer> {
    for (let index = 0; index < source.chunkCount; index += 1) {
      const raw = await source.readChunk(index);
      settings.seen(raw);
      if (raw.length > 0) yield raw;
    }
  }
  const feeding = pipeline(Readable.from(content(), { objectMode: false, highWaterMark: 512 * 1024 }), encoder);
  // Its failure is that of the encoder, which the loop below meets.
  feeding.catch(() => {});
  try {
    // Pieces share the encoder's memory, and whoever gets one may give its memory back.
    for await (const piece of encoder) yield Buffer.copyBytesFrom(piece as Buffer);
    await feeding;
  } finally {
    encoder.destroy();
    await feeding.catch(() => {});
    source.close();
  }
}
