import { MillraceError } from '../lib/errors.ts';

/** An archive cannot be made or read: damaged, hostile, of an unknown format, or too large. */
export class ArchiveError extends MillraceError {
  readonly code = 'archive_failed';
}
