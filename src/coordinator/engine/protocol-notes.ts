/** Something a client did that GitLab would let pass but the protocol does not say (spec protocol.md §13). */
export interface ProtocolNote {
  readonly rule: string;
  readonly count: number;
  /** Of the first time. */
  readonly example: string;
}

/** Counts what clients do wrong, so that a test can ask. Holds no tokens. */
export class ProtocolNotes {
  readonly #notes = new Map<string, { count: number; readonly example: string }>();

  add(rule: string, example: string): void {
    const note = this.#notes.get(rule);
    if (note === undefined) this.#notes.set(rule, { count: 1, example: example.slice(0, 200) });
    else note.count += 1;
  }

  all(): readonly ProtocolNote[] {
    return [...this.#notes].map(([rule, note]) => ({ rule, ...note }));
  }
}
