import { closeSync, existsSync, openSync, readSync, rmSync } from 'node:fs';

/** A place in a stream that is kept as files `<base>.0`, `<base>.1`, … */
export interface SegmentPosition {
  readonly segment: number;
  /** Bytes into that file. */
  readonly offset: number;
}

/** Reads a stream that another process appends to, kept as numbered files of which only the last one grows. */
export interface SegmentReader {
  readonly position: SegmentPosition;
  /** The next bytes, a fresh buffer; undefined when there are none for now. */
  read(): Buffer | undefined;
  /** Removes files that lie before a position. */
  removeBefore(position: SegmentPosition): void;
  /** Idempotent. */
  close(): void;
}

const readBytes = 64 * 1024;

/** Small synchronous reads of what was written a moment ago: they come from the page cache. */
export function openSegments(base: string, from: SegmentPosition): SegmentReader {
  const scratch = Buffer.allocUnsafe(readBytes);
  let { segment, offset } = from;
  let descriptor: number | undefined;
  let isComplete = false;
  let firstKept = from.segment;

  function fill(): number {
    descriptor ??= openIfPresent(`${base}.${segment}`);
    if (descriptor === undefined) return 0;
    return readSync(descriptor, scratch, 0, readBytes, offset);
  }

  function close(): void {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
  }

  return {
    get position() {
      return { segment, offset };
    },
    read: () => {
      for (;;) {
        const size = fill();
        if (size > 0) {
          offset += size;
          return Buffer.from(scratch.subarray(0, size));
        }
        if (isComplete) {
          close();
          segment += 1;
          offset = 0;
          isComplete = false;
        } else if (existsSync(`${base}.${segment + 1}`)) {
          // The writer has left this file; what it wrote since the last look comes first.
          isComplete = true;
        } else {
          return undefined;
        }
      }
    },
    removeBefore: (position) => {
      for (; firstKept < Math.min(position.segment, segment); firstKept += 1) {
        rmSync(`${base}.${firstKept}`, { force: true });
      }
    },
    close,
  };
}

function openIfPresent(path: string): number | undefined {
  return existsSync(path) ? openSync(path, 'r') : undefined;
}
