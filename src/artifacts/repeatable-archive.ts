import type { SpoolFile } from '../platform/spool-file.ts';

export interface RepeatableArchive {
  /** The archive's bytes, each time the same; one reader at a time. */
  open(): AsyncIterable<Buffer>;
  /** Gives up what is kept. Idempotent. */
  close(): Promise<void>;
}

/** An archive up to this size is kept in memory. */
const smallBytes = 8 * 1024 * 1024;

/**
 * Makes an archive while it is sent the first time. For more times it is kept: in memory where it is small, else it is
 * made once more into a temporary file. Where there is no room for that it is made each time.
 */
export function repeatableArchive(
  make: () => AsyncIterable<Buffer>,
  createSpool: () => Promise<SpoolFile>,
): RepeatableArchive {
  let kept: readonly Buffer[] | undefined;
  let spool: SpoolFile | undefined;
  let opened = 0;

  async function* first(): AsyncGenerator<Buffer> {
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of make()) {
      bytes += piece.length;
      if (bytes <= smallBytes) pieces.push(piece);
      else pieces.length = 0;
      yield piece;
    }
    if (bytes <= smallBytes) kept = pieces;
  }

  async function fill(): Promise<SpoolFile | undefined> {
    let file: SpoolFile | undefined;
    try {
      file = await createSpool();
    } catch {
      return undefined;
    }
    let isWritten = false;
    try {
      for await (const piece of make()) {
        try {
          await file.write(piece);
        } catch {
          return undefined;
        }
      }
      isWritten = true;
      return file;
    } finally {
      if (!isWritten) await file.close();
    }
  }

  async function* again(): AsyncGenerator<Buffer> {
    if (kept === undefined) spool ??= await fill();
    if (kept !== undefined) yield* kept;
    else yield* spool?.read() ?? make();
  }

  return {
    open: () => {
      opened += 1;
      return opened === 1 ? first() : again();
    },
    close: async () => {
      kept = undefined;
      await spool?.close();
    },
  };
}
