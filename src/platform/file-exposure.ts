import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { systemErrorCode } from '../lib/errors.ts';

/**
 * Who can read a file beside its owner. Undefined: nobody, or it cannot be changed: what lies on a read-only mount (a
 * Secret in a pod) got its mode from somebody else. Windows keeps no such modes.
 */
export async function exposureOf(path: string): Promise<'group' | 'everyone' | undefined> {
  if (process.platform === 'win32') return undefined;
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined || !facts.isFile() || (facts.mode & 0o044) === 0) return undefined;
  if (await isReadOnlyMount(path)) return undefined;
  return (facts.mode & 0o004) === 0 ? 'group' : 'everyone';
}

async function isReadOnlyMount(path: string): Promise<boolean> {
  try {
    await access(path, constants.W_OK);
    return false;
  } catch (error) {
    return systemErrorCode(error) === 'EROFS';
  }
}
