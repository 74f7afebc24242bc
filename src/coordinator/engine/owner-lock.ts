import { join } from 'node:path';
import { ConfigError } from '../../lib/errors.ts';
import { type HeldLock, holdLock, isLockHeld, isUnfinishedLock } from '../../platform/lock-socket.ts';
import { listFolder, removeTree } from '../../platform/private-folder.ts';
import { randomHex } from '../../platform/random.ts';

/**
 * Makes this process the only coordinator of a data folder; the claim ends with the process, however it ends.
 * @throws ConfigError when another one is alive
 */
export async function claimDataFolder(ownersFolder: string): Promise<HeldLock> {
  const own = randomHex(4);
  // Held before looking: of two that start at once, both may give up, but never both go on.
  const lock = await holdLock(join(ownersFolder, own));
  for (const name of listFolder(ownersFolder)) {
    const path = join(ownersFolder, name);
    if (name === own || isUnfinishedLock(name)) continue;
    if (await isLockHeld(path)) {
      await lock.release();
      throw new ConfigError(`Another coordinator is using the data folder ${join(ownersFolder, '..')}.`, {
        hint: 'Stop it, or give this one a folder of its own with --data-dir.',
      });
    }
    removeTree(path);
  }
  return lock;
}
