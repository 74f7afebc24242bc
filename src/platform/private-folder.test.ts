import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeWritable, removeTreeAsync } from './private-folder.ts';

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'private-folder-'));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

describe('removeTreeAsync', () => {
  const shapes: Readonly<Record<string, (folder: string) => void>> = {
    'an empty folder': () => {},
    'small files': (folder) => {
      for (const name of ['a', 'b', '.c']) writeFileSync(join(folder, name), name);
    },
    'many files': (folder) => {
      for (let index = 0; index < 100; index += 1) writeFileSync(join(folder, `${index}`), '');
    },
    'a large file': (folder) => {
      writeFileSync(join(folder, 'large'), '');
      truncateSync(join(folder, 'large'), 5_000_000);
    },
    folders: (folder) => {
      mkdirSync(join(folder, 'inner', 'most'), { recursive: true });
      writeFileSync(join(folder, 'inner', 'most', 'file'), 'x');
    },
  };

  it.each(Object.entries(shapes))('removes %s', async (_name, fill) => {
    const folder = join(place, 'folder');
    mkdirSync(folder);
    fill(folder);
    await removeTreeAsync(folder);
    expect(existsSync(folder)).toBe(false);
  });

  it('removes a file, and what is not there', async () => {
    writeFileSync(join(place, 'file'), 'x');
    await removeTreeAsync(join(place, 'file'));
    expect(existsSync(join(place, 'file'))).toBe(false);
    await removeTreeAsync(join(place, 'file'));
  });

  it('removes links, not what they lead to', async () => {
    mkdirSync(join(place, 'kept'));
    writeFileSync(join(place, 'kept', 'file'), 'x');
    mkdirSync(join(place, 'folder'));
    symlinkSync(join(place, 'kept'), join(place, 'folder', 'link'));
    await removeTreeAsync(join(place, 'folder'));
    expect(existsSync(join(place, 'folder'))).toBe(false);
    expect(existsSync(join(place, 'kept', 'file'))).toBe(true);
  });
});

describe('probeWritable', () => {
  it('finds nothing wrong with a folder of ours, and leaves nothing in it', () => {
    probeWritable(place);
    expect(readdirSync(place)).toEqual([]);
  });

  it('tells that a folder is gone', () => {
    expect(() => probeWritable(join(place, 'gone'))).toThrow(/ENOENT/);
  });
});
