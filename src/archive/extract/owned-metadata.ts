import { type EntryMetadata, isForeignOwner } from '../../platform/file-extraction.ts';

/** What an archive says of an entry's owner and times. */
export interface ArchivedMetadata {
  readonly mode: number;
  readonly modifiedMs: number;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

/** What to set; the owner only where it is not the one that files get anyway. */
export function ownedMetadata({ mode, modifiedMs, uid, gid }: ArchivedMetadata): EntryMetadata {
  const owner = uid !== undefined && gid !== undefined && isForeignOwner(uid, gid) ? { uid, gid } : undefined;
  return { mode, modifiedMs, owner };
}
