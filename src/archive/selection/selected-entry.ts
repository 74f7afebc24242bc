import type { EntryFacts } from '../../platform/file-tree.ts';

/** One entry to archive: its path relative to the root (`/`-separated, see `archive-path.ts`; `.` is the root). */
export interface SelectedEntry {
  readonly path: string;
  readonly facts: EntryFacts;
}
