import type { EntryKind } from '../../platform/file-tree.ts';

/** An entry that was unpacked. */
export interface ExtractedEntry {
  readonly path: string;
  readonly kind: EntryKind;
  readonly mode: number;
  /** For a link the length of its text, for a directory 0. */
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}
