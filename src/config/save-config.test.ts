import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { needs } from '../../test/support/needs.ts';
import { editConfigFile, saveTokenFile } from './save-config.ts';

let folder: string;
let path: string;
const signal = new AbortController().signal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-save-'));
  path = join(folder, 'etc', 'config.toml');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function setConcurrent(value: number, file = path): Promise<boolean> {
  const options = { stateFolder: join(folder, 'state') };
  return await editConfigFile(file, options, (editor) => editor.set(['concurrent'], value), signal);
}

describe('editConfigFile', () => {
  it('makes a file, and its folder, that only the owner reads', async () => {
    expect(await setConcurrent(3)).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('concurrent = 3\n');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'etc')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(folder, 'etc'))).toEqual(['config.toml']);
  });

  it('keeps mode and owner, follows links and writes nothing without need', async () => {
    mkdirSync(join(folder, 'real'));
    mkdirSync(join(folder, 'etc'));
    const real = join(folder, 'real', 'it.toml');
    writeFileSync(real, 'concurrent = 1 # one\n');
    chmodSync(real, 0o640);
    if (process.getuid?.() === 0) chownSync(real, 1234, 4321);
    symlinkSync('../real/it.toml', path);
    const before = statSync(real);
    expect(await setConcurrent(1)).toBe(false);
    expect(statSync(real).ino).toBe(before.ino);
    expect(await setConcurrent(2)).toBe(true);
    const after = statSync(real);
    expect([after.mode, after.uid, after.gid]).toEqual([before.mode, before.uid, before.gid]);
    expect(after.ino).not.toBe(before.ino);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('concurrent = 2 # one\n');
    expect(readdirSync(join(folder, 'real'))).toEqual(['it.toml']);
  });

  it('leaves the file when the edit fails', async () => {
    await setConcurrent(1);
    const failing = editConfigFile(path, { stateFolder: folder }, () => Promise.reject(new Error('no')), signal);
    await expect(failing).rejects.toThrow('no');
    expect(readFileSync(path, 'utf8')).toBe('concurrent = 1\n');
    expect(readdirSync(join(folder, 'etc'))).toEqual(['config.toml']);
  });

  it('loses no edit of many writers in several processes', async () => {
    const program = new URL('../../test/support/config-writer.ts', import.meta.url).pathname;
    const writers = ['a', 'b', 'c', 'd'].map(async (name) => {
      const child = spawn(process.execPath, [program, path, join(folder, 'state'), name, '8'], { stdio: 'inherit' });
      const { promise, resolve } = Promise.withResolvers<number | null>();
      child.once('close', resolve);
      return await promise;
    });
    expect(await Promise.all(writers)).toEqual([0, 0, 0, 0]);
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('  name ='));
    expect(lines).toHaveLength(32);
    expect(new Set(lines).size).toBe(32);
    expect(readdirSync(join(folder, 'etc'))).toEqual(['config.toml']);
  });

  it('takes the lock of a killed writer', async () => {
    const program = new URL('../../test/support/config-writer.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [program, path, join(folder, 'state'), 'hold'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    expect(readdirSync(join(folder, 'etc')).some((name) => name.includes('.lock-'))).toBe(true);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    expect(await setConcurrent(5)).toBe(true);
    expect(readdirSync(join(folder, 'etc'))).toEqual(['config.toml']);
  });

  it.skipIf(!needs('tmpfs'))('writes in place where the file is a mount of its own', async () => {
    mkdirSync(join(folder, 'etc'));
    writeFileSync(path, 'concurrent = 1\n');
    writeFileSync(join(folder, 'other'), 'concurrent = 10 # long\n');
    expect(spawnSync('mount', ['--bind', join(folder, 'other'), path]).status).toBe(0);
    try {
      expect(await setConcurrent(2)).toBe(true);
      expect(readFileSync(path, 'utf8')).toBe('concurrent = 2 # long\n');
      expect(readdirSync(join(folder, 'etc'))).toEqual(['config.toml']);
    } finally {
      spawnSync('umount', [path]);
    }
    expect(readFileSync(join(folder, 'other'), 'utf8')).toBe('concurrent = 2 # long\n');
  });

  it.skipIf(!needs('tmpfs'))('says that a read-only file cannot be written', async () => {
    mkdirSync(join(folder, 'etc'));
    writeFileSync(path, 'concurrent = 1\n');
    const etc = join(folder, 'etc');
    expect(spawnSync('mount', ['--bind', etc, etc]).status).toBe(0);
    try {
      expect(spawnSync('mount', ['-o', 'remount,bind,ro', etc]).status).toBe(0);
      await expect(setConcurrent(2)).rejects.toThrow(`cannot write ${path}`);
      expect(existsSync(join(folder, 'state', 'backups'))).toBe(false);
    } finally {
      spawnSync('umount', [etc]);
    }
    expect(readFileSync(path, 'utf8')).toBe('concurrent = 1\n');
  });
});

it('saves a token file for its owner only', async () => {
  await saveTokenFile(join(folder, 'token'), 'glrt-new', { stateFolder: folder });
  expect(readFileSync(join(folder, 'token'), 'utf8')).toBe('glrt-new\n');
  expect(statSync(join(folder, 'token')).mode & 0o777).toBe(0o600);
});
