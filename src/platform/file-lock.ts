import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemErrorCode } from '../lib/errors.ts';
import { type HeldLock, holdLock, isLockHeld, isUnfinishedLock } from './lock-socket.ts';
import { createShortWait } from './short-wait.ts';

/** Sockets of killed holders are nobody's: they are taken away by whoever comes next. */
const longestWaitMs = 30_000;

/**
 * Holds the lock of a file among all our processes. Every contender makes a socket of its own beside the file and has
 * the lock when no other one answers; of several that see one another the first in the alphabet stays and waits, the
 * others step back. The kernel closes the socket of a holder that dies.
 * @param fallbackFolder for locks of files whose folder cannot be written to.
 * @throws the signal's reason; an error when nobody gives the lock back for 30 s.
 */
export async function lockFile(path: string, fallbackFolder: string, signal: AbortSignal): Promise<HeldLock> {
  const place = await lockPlace(path, fallbackFolder);
  const wait = createShortWait(longestWaitMs, `the lock of ${path}`);
  for (;;) {
    const name = `${place.prefix}${randomBytes(6).toString('hex')}`;
    const lock = await holdLock(join(place.folder, name));
    try {
      for (;;) {
        const others = await liveLocks(place, name);
        if (others.length === 0) return lock;
        if (others.some((other) => other < name)) break;
        await wait.once(signal);
      }
    } catch (error) {
      await lock.release();
      throw error;
    }
    await lock.release();
    await wait.once(signal);
  }
}

interface LockPlace {
  readonly folder: string;
  readonly prefix: string;
}

async function lockPlace(path: string, fallbackFolder: string): Promise<LockPlace> {
  try {
    await access(dirname(path), constants.W_OK | constants.X_OK);
    return { folder: dirname(path), prefix: `.${basename(path)}.lock-` };
  } catch {
    return { folder: fallbackFolder, prefix: `${encodeURIComponent(path).slice(-150)}.lock-` };
  }
}

async function liveLocks({ folder, prefix }: LockPlace, own: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(prefix) && name !== own);
  const live: string[] = [];
  for (const name of names) {
    if (isUnfinishedLock(name)) continue;
    if (await isHeld(join(folder, name))) live.push(name);
    else await rm(join(folder, name), { force: true });
  }
  return live;
}

async function isHeld(path: string): Promise<boolean> {
  try {
    return await isLockHeld(path);
  } catch (error) {
    // Not a socket of ours any more, or of another account: it cannot be asked, and is left to its owner.
    if (systemErrorCode(error) === 'EACCES') return true;
    throw error;
  }
}
