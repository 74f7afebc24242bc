import type { SelectedEntry } from '../selection/selected-entry.ts';

/** Larger files are packed piece by piece instead. */
export const largestWholeBytes = 4 * 1024 * 1024;

/** A batch is as small as this, in content and in entries: enough work to be worth a message to a thread. */
const batchBytes = 640 * 1024;
const batchEntries = 192;

/** Entries in their order: runs of small ones, and single large files. */
export type Portion =
  | { readonly kind: 'batch'; readonly entries: readonly SelectedEntry[]; readonly bytes: number }
  | { readonly kind: 'large'; readonly entry: SelectedEntry };

/** Cuts a selection into portions of work. The cuts depend on nothing but the entries: equal trees, equal archives. */
export function* portionsOf(entries: readonly SelectedEntry[], bytesPerBatch = batchBytes): Generator<Portion> {
  let batch: SelectedEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const size = entry.facts.kind === 'file' ? entry.facts.sizeBytes : 0;
    const isLarge = size > largestWholeBytes;
    if (batch.length > 0 && (isLarge || bytes + size > bytesPerBatch || batch.length === batchEntries)) {
      yield { kind: 'batch', entries: batch, bytes };
      batch = [];
      bytes = 0;
    }
    if (isLarge) {
      yield { kind: 'large', entry };
    } else {
      batch.push(entry);
      bytes += size;
    }
  }
  if (batch.length > 0) yield { kind: 'batch', entries: batch, bytes };
}
