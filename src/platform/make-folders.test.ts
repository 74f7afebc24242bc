import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolders } from './make-folders.ts';

test('makes what is missing, takes what is there, and names what cannot be', () => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-folders-'));
  try {
    makeFolders(join(root, 'a', 'b', 'c'), 0o700);
    makeFolders(join(root, 'a', 'b', 'c'), 0o700);
    expect(statSync(join(root, 'a', 'b')).mode & 0o777).toBe(0o700);
    mkdirSync(join(root, 'real'));
    symlinkSync('real', join(root, 'link'));
    makeFolders(join(root, 'link', 'below'), 0o700);
    expect(statSync(join(root, 'real', 'below')).isDirectory()).toBe(true);
    writeFileSync(join(root, 'file'), '');
    expect(() => makeFolders(join(root, 'file'), 0o700)).toThrow('EEXIST');
    expect(() => makeFolders(join(root, 'file', 'below'), 0o700)).toThrow('ENOTDIR');
    symlinkSync('nowhere', join(root, 'dangling'));
    expect(() => makeFolders(join(root, 'dangling', 'below'), 0o700)).toThrow();
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

test.runIf(process.platform === 'linux')('a file system that makes no folders is an error, not an endless loop', () => {
  expect(() => makeFolders('/proc/millrace/state', 0o700)).toThrow(/ENOENT.*\/proc\/millrace/);
});
