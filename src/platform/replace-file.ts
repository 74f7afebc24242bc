import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, type FileHandle, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorMessage, StorageError, systemErrorCode } from '../lib/errors.ts';

/** The file that a path means, through every symbolic link; the path itself where there is none. */
export async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return await targetOfMissing(path);
    throw new StorageError(`cannot read ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

async function targetOfMissing(path: string): Promise<string> {
  const folder = await realpath(dirname(path)).catch(() => dirname(path));
  return join(folder, basename(path));
}

/**
 * Replaces the content of a file that other programs may read at any moment: a temporary file beside it, fsync,
 * rename. Owner and mode stay; a new file is for its owner only. Where the folder takes no new file or the name is a
 * mount of its own, the file is written in place, after a copy of it (`<name>.backup`) is safe.
 * @param path of the file itself, not of a link to it.
 * @param backupFolder for the copy where the file's folder takes none.
 * @throws StorageError
 */
export async function replaceFile(path: string, content: string, backupFolder: string): Promise<void> {
  try {
    if (await renamedInto(path, content)) return;
    await writeInPlace(path, content, backupFolder);
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw new StorageError(`cannot write ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

/**
 * Finds out whether a file can be replaced, by writing and removing a temporary one where that is how it is done.
 * @throws StorageError
 */
export async function probeReplaceable(path: string): Promise<void> {
  const temporary = temporaryName(path);
  try {
    const handle = await open(temporary, 'wx', 0o600);
    await handle.writeFile(' '.repeat(64 * 1024));
    await handle.sync();
    await handle.close();
    await rm(temporary, { force: true });
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    if (!isRefusal(error)) throw new StorageError(`cannot write ${path}: ${errorMessage(error)}`, { cause: error });
    await access(path, constants.W_OK).catch((cause: unknown) => {
      throw new StorageError(`cannot write ${path}: ${errorMessage(cause)}`, { cause });
    });
  }
}

/** @returns false where this cannot be done, and nothing has changed. */
async function renamedInto(path: string, content: string): Promise<boolean> {
  const temporary = temporaryName(path);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const before = await stat(path).catch(() => undefined);
    const handle = await open(temporary, 'wx', 0o600);
    try {
      if (before !== undefined) await takeOver(handle, before);
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    if (isRefusal(error)) return false;
    throw error;
  }
  await syncFolder(dirname(path));
  return true;
}

async function takeOver(
  handle: FileHandle,
  before: { readonly uid: number; readonly gid: number; readonly mode: number },
): Promise<void> {
  const own = await handle.stat();
  if (own.uid !== before.uid || own.gid !== before.gid) await handle.chown(before.uid, before.gid);
  await handle.chmod(before.mode & 0o7777);
}

async function writeInPlace(path: string, content: string, backupFolder: string): Promise<void> {
  // Opened first: where the file cannot be written to there is no need for a copy.
  const handle = await open(path, 'r+');
  try {
    const backup = await copyAside(path, await readFile(path), backupFolder);
    const bytes = Buffer.from(content);
    await handle.write(bytes, 0, bytes.length, 0);
    await handle.truncate(bytes.length);
    await handle.sync();
    await rm(backup, { force: true });
  } finally {
    await handle.close();
  }
}

async function copyAside(path: string, content: Uint8Array, backupFolder: string): Promise<string> {
  const beside = `${path}.backup`;
  try {
    return await writeSynced(beside, content);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    await mkdir(backupFolder, { recursive: true, mode: 0o700 });
    return await writeSynced(join(backupFolder, `${encodeURIComponent(path).slice(-150)}.backup`), content);
  }
}

async function writeSynced(path: string, content: Uint8Array): Promise<string> {
  const handle = await open(path, 'w', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await chmod(path, 0o600);
  return path;
}

function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.new`);
}

/** The folder or the name does not allow it; a full disk is no reason to try another way. */
function isRefusal(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS', 'EBUSY', 'EXDEV'].includes(systemErrorCode(error) ?? '');
}

/** The rename itself must survive a loss of power; not every system can sync a folder. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
