/** A run of bytes of a remote object that is fetched by itself. */
export interface Piece {
  readonly start: number;
  /** Position behind the last byte; undefined while nobody said where the object ends. */
  end: number | undefined;
  /** How many of its bytes are there. */
  done: number;
}

/**
 * Cuts an object into the part that its first answer brings and pieces of the rest.
 * @param firstEnd undefined = the answer goes to the object's end, wherever that is.
 */
export function planPieces(firstEnd: number | undefined, totalBytes: number | undefined, chunkBytes: number): Piece[] {
  const pieces: Piece[] = [{ start: 0, end: firstEnd, done: 0 }];
  if (firstEnd === undefined || totalBytes === undefined) return pieces;
  for (let start = firstEnd; start < totalBytes; start += chunkBytes) {
    pieces.push({ start, end: Math.min(start + chunkBytes, totalBytes), done: 0 });
  }
  return pieces;
}

export function isWhole({ start, end, done }: Piece): boolean {
  return end !== undefined && start + done === end;
}

/** What is missing of a piece. */
export function remainder({ start, end, done }: Piece, isOnlyOne: boolean): { start: number; end: number | undefined } {
  return { start: start + done, end: isOnlyOne ? undefined : end };
}
