import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  write,
} from 'node:fs';
import type { FilePath } from './file-tree.ts';

/** What an unpacked entry gets beside its content. */
export interface EntryMetadata {
  /** Permission bits; others are ignored. */
  readonly mode: number;
  readonly modifiedMs: number;
  /** Undefined leaves the owner alone. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
}

export function makeOneDirectory(path: FilePath): void {
  mkdirSync(path);
}

/** Creates a file that must not exist; a link in its place counts as existing. @returns its descriptor. */
export function createNewFile(path: FilePath): number {
  return openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o666);
}

/** Writes at the end of what this descriptor has written, off the event loop. */
export async function writeAll(descriptor: number, data: Buffer): Promise<void> {
  let written = 0;
  while (written < data.length) written += await writeSome(descriptor, data, written);
}

/** Gives an open file its metadata and closes it. The owner is best effort. */
export function finishFile(descriptor: number, metadata: EntryMetadata, nowMs: number): void {
  try {
    if (metadata.owner !== undefined) {
      const { uid, gid } = metadata.owner;
      bestEffort(() => fchownSync(descriptor, uid, gid));
    }
    fchmodSync(descriptor, metadata.mode & 0o777);
    futimesSync(descriptor, nowMs / 1000, metadata.modifiedMs / 1000);
  } finally {
    closeSync(descriptor);
  }
}

/** Gives a directory its metadata. It must be known to be no link. */
export function finishDirectory(path: FilePath, metadata: EntryMetadata, nowMs: number): void {
  setLinkOwner(path, metadata);
  lutimesSync(path, nowMs / 1000, metadata.modifiedMs / 1000);
  chmodSync(path, metadata.mode & 0o777);
}

/** Makes a symbolic link with its own time and owner; what it points to is not looked at. */
export function makeLink(path: FilePath, target: Buffer, metadata: EntryMetadata, nowMs: number): void {
  symlinkSync(target, path);
  setLinkOwner(path, metadata);
  lutimesSync(path, nowMs / 1000, metadata.modifiedMs / 1000);
}

/** Lets the owner list, enter and change a directory, where that can be set. */
export function makeUsable(path: FilePath, mode: number): void {
  if ((mode & 0o700) !== 0o700) bestEffort(() => chmodSync(path, (mode & 0o7777) | 0o700));
}

export function changeMode(path: FilePath, mode: number): void {
  chmodSync(path, mode);
}

export function removeFile(path: FilePath): void {
  unlinkSync(path);
}

export function removeEmptyDirectory(path: FilePath): void {
  rmdirSync(path);
}

/** Whether an owner differs from the one that new files of this process get. */
export function isForeignOwner(uid: number, gid: number): boolean {
  return process.getuid?.() !== uid || process.getgid?.() !== gid;
}

function setLinkOwner(path: FilePath, { owner }: EntryMetadata): void {
  if (owner !== undefined) bestEffort(() => lchownSync(path, owner.uid, owner.gid));
}

function bestEffort(action: () => void): void {
  try {
    action();
  } catch {
    // Not permitted, or unknown to this file system.
  }
}

function writeSome(descriptor: number, data: Buffer, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, data, offset, data.length - offset, null, (error, count) => {
      if (error === null) resolve(count);
      else reject(error);
    });
  });
}
