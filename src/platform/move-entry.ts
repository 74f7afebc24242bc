import {
  chmodSync,
  copyFileSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  type Stats,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { systemErrorCode } from '../lib/errors.ts';
import type { FilePath } from './file-tree.ts';
import { randomHex } from './random.ts';

/**
 * Moves an entry into a place where nothing is, or a file or link by a file or link: in one step, and a directory with
 * all below it. Where the place is on another file system (a mounted folder), each file appears whole.
 * @throws the system's error.
 */
export function moveEntry(from: FilePath, to: FilePath): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (systemErrorCode(error) !== 'EXDEV') throw error;
    copyEntry(from, to);
  }
}

function copyEntry(from: FilePath, to: FilePath): void {
  const stats = lstatSync(from);
  if (stats.isDirectory()) {
    mkdirSync(to);
    for (const name of readdirSync(from, { encoding: 'buffer' })) copyEntry(below(from, name), below(to, name));
    finish(to, stats);
    return;
  }
  const whole = Buffer.concat([Buffer.from(to), Buffer.from(`.${randomHex(6)}`)]);
  try {
    if (stats.isSymbolicLink()) symlinkSync(readlinkSync(from, { encoding: 'buffer' }), whole);
    else copyFileSync(from, whole);
    finish(whole, stats);
    renameSync(whole, to);
  } catch (error) {
    bestEffort(() => unlinkSync(whole));
    throw error;
  }
}

function finish(path: FilePath, stats: Stats): void {
  bestEffort(() => lchownSync(path, stats.uid, stats.gid));
  if (!stats.isSymbolicLink()) chmodSync(path, stats.mode & 0o7777);
  lutimesSync(path, stats.atimeMs / 1000, stats.mtimeMs / 1000);
}

function below(path: FilePath, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(path), Buffer.from('/'), name]);
}

function bestEffort(action: () => void): void {
  try {
    action();
  } catch {
    // Not permitted, or unknown to this file system.
  }
}
