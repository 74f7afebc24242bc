/** What the helper's loop says about a stage. */
export interface StageMark {
  readonly kind: 'begin' | 'end';
  readonly stage: string;
  /** Of `end`. */
  readonly code: number;
}

export type MarkedPart =
  | { readonly type: 'output'; readonly bytes: Buffer; readonly endsAt: number }
  | { readonly type: 'mark'; readonly mark: StageMark; readonly endsAt: number };

/** Longest text of a mark after its prefix. */
const longestTail = 64;

/**
 * Finds the marks of the helper's loop in one stream of its output. `endsAt` of each part is the position in the
 * daemon's log after it, counted as `take` is told.
 */
export class MarkReader {
  readonly #prefix: Buffer;
  #held: Buffer = Buffer.alloc(0);

  constructor(mark: string) {
    this.#prefix = Buffer.from(`${mark} `);
  }

  /** @param position log position after these bytes. */
  take(bytes: Buffer, position: number): readonly MarkedPart[] {
    const parts: MarkedPart[] = [];
    let rest = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    for (;;) {
      const start = rest.indexOf(this.#prefix);
      const lineEnd = start < 0 ? -1 : rest.indexOf(0x0a, start);
      if (start < 0 || lineEnd < 0) break;
      // Marks are plain text: bytes before the end of these are worth what they are in the log.
      const after = (index: number): number => position - (rest.length - index);
      if (start > 0) parts.push({ type: 'output', bytes: rest.subarray(0, start), endsAt: after(start) });
      const mark = parseMark(rest.subarray(start + this.#prefix.length, lineEnd).toString());
      if (mark !== undefined) parts.push({ type: 'mark', mark, endsAt: after(lineEnd + 1) });
      rest = rest.subarray(lineEnd + 1);
    }
    const keep = this.#heldBytes(rest);
    const output = rest.subarray(0, rest.length - keep);
    if (output.length > 0) parts.push({ type: 'output', bytes: output, endsAt: position - keep });
    this.#held = Buffer.from(rest.subarray(rest.length - keep));
    return parts;
  }

  /** Bytes at the end that may belong to a mark. */
  #heldBytes(rest: Buffer): number {
    const start = rest.lastIndexOf(this.#prefix.subarray(0, 1));
    if (start < 0) return 0;
    const tail = rest.subarray(start);
    const compared = Math.min(tail.length, this.#prefix.length);
    if (!tail.subarray(0, compared).equals(this.#prefix.subarray(0, compared))) return 0;
    return tail.length > this.#prefix.length + longestTail ? 0 : tail.length;
  }
}

function parseMark(text: string): StageMark | undefined {
  const [kind, stage, code] = text.split(' ');
  if (kind !== 'begin' && kind !== 'end') return undefined;
  return { kind, stage: stage ?? '', code: Number(code ?? 0) };
}
