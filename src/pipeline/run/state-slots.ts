import { join } from 'node:path';
import { errorMessage, StorageError, systemErrorCode } from '../../lib/errors.ts';
import { type HeldLock, holdLock, isLockHeld } from '../../platform/lock-socket.ts';
import { listFolder, makePrivateFolder, removeTree } from '../../platform/private-folder.ts';
import { randomHex } from '../../platform/random.ts';
import { readStateFile, replaceStateFile } from '../../platform/state-file.ts';

/**
 * A part of a checkout's state folder that one run has for itself: coordinator, journal, builds and sources. Runs one
 * after the other share the first slot, so that builds are fetched into again; runs side by side take further ones.
 */
export interface StateSlot {
  readonly folder: string;
  /** 0 for the one that most runs use. */
  readonly number: number;
  /** Gives the slot back. Idempotent. */
  release(): Promise<void>;
}

const attempts = 4;
const slotName = /^slot-(\d+)$/;

/**
 * Takes the first free slot, making one where all are taken.
 * @throws StorageError where the folder cannot be written.
 */
export async function takeSlot(stateFolder: string, pause: (ms: number) => Promise<void>): Promise<StateSlot> {
  try {
    makeStateFolder(stateFolder);
    for (let number = 0; ; number += 1) {
      const slot = await takeNumbered(stateFolder, number, pause);
      if (slot !== undefined) return slot;
    }
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw new StorageError(`cannot use the state folder ${stateFolder}: ${errorMessage(error)}`, {
      cause: error,
      hint: 'Give a writable folder with --state-dir.',
    });
  }
}

/** Slots that exist besides the given one and that nobody holds; each is held until it is released. */
export async function* takeAbandonedSlots(stateFolder: string, own: StateSlot): AsyncGenerator<StateSlot> {
  for (const name of listFolder(stateFolder)) {
    const number = Number(slotName.exec(name)?.[1] ?? own.number);
    if (number === own.number) continue;
    const slot = await claim(join(stateFolder, name), number);
    if (slot !== undefined) yield slot;
  }
}

/** Whoever puts the folder into a work tree does not want it in snapshots or commits. */
function makeStateFolder(folder: string): void {
  makePrivateFolder(folder);
  const ignoreFile = join(folder, '.gitignore');
  if (readStateFile(ignoreFile) === undefined) replaceStateFile(ignoreFile, '*\n');
}

/** Two that claim at the same moment see each other and both step back; so it is tried again, out of step. */
async function takeNumbered(
  stateFolder: string,
  number: number,
  pause: (ms: number) => Promise<void>,
): Promise<StateSlot | undefined> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const slot = await claim(join(stateFolder, `slot-${number}`), number);
    if (slot !== undefined) return slot;
    if (attempt < attempts) await pause(Math.random() * 20);
  }
  return undefined;
}

async function claim(folder: string, number: number): Promise<StateSlot | undefined> {
  const locks = join(folder, 'locks');
  if (await hasHolder(locks, '')) return undefined;
  makePrivateFolder(folder);
  const name = randomHex(8);
  const lock = await holdLock(join(locks, name));
  if (await hasHolder(locks, name)) {
    await lock.release();
    return undefined;
  }
  return { folder, number, release: async () => await release(lock) };
}

async function hasHolder(locks: string, own: string): Promise<boolean> {
  for (const name of listFolder(locks)) {
    // A `.new` one is about to get its name.
    if (name === own || name.endsWith('.new')) continue;
    if (await isHeldOrClosing(join(locks, name))) return true;
    removeTree(join(locks, name));
  }
  return false;
}

/** A holder that gives its lock back at this moment counts: the next attempt sees it gone. */
async function isHeldOrClosing(path: string): Promise<boolean> {
  try {
    return await isLockHeld(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ECONNRESET') return true;
    throw error;
  }
}

async function release(lock: HeldLock): Promise<void> {
  await lock.release();
}
