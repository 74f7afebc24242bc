import { posix } from 'node:path';
import { ArchiveError } from '../archive-error.ts';

/**
 * Where an entry's name leads below the target, `.` for the target itself. Names that start with `/` are taken as
 * relative (spec cache-artifacts.md §3.4).
 * @throws ArchiveError for a name that leads out of the target or that no file can have.
 */
export function entryPath(name: string, target: string, isWindows: boolean): string {
  if (name === '' || name.includes('\0')) throw new ArchiveError('the archive has an entry with an impossible name');
  const slashed = isWindows ? name.replaceAll('\\', '/') : name;
  const joined = posix.normalize(slashed.replace(/^\/+/, '') || '.');
  const isOutside = joined === '..' || joined.startsWith('../') || (isWindows && joined.includes(':'));
  if (isOutside) {
    throw new ArchiveError(`${posix.join(target, joined)} cannot be extracted outside of chroot (${target})`);
  }
  return joined.endsWith('/') ? joined.slice(0, -1) : joined;
}
