import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StorageError } from '../lib/errors.ts';
import { AppendFile } from './append-file.ts';

describe('AppendFile', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'append-file-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('grows, is read at any place, and belongs to its owner alone', async () => {
    const path = join(folder, 'trace');
    const file = await AppendFile.create(path);
    file.append(Buffer.from('hello '));
    file.append(Buffer.from('world'));
    expect(file.sizeBytes).toBe(11);
    expect(Buffer.from(await file.read(4, 3)).toString()).toBe('o w');
    expect(Buffer.from(await file.read(9, 100)).toString()).toBe('ld');
    expect(await file.read(100, 1)).toHaveLength(0);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await file.close();
    await file.close();
  });

  it('is taken up at a recorded size', async () => {
    const path = join(folder, 'trace');
    const first = await AppendFile.create(path);
    first.append(Buffer.from('kept lost'));
    await first.close();
    const second = await AppendFile.reopen(path, 5);
    second.append(Buffer.from('new'));
    await second.close();
    expect(await readFile(path, 'utf8')).toBe('kept new');
  });

  it('says clearly when it is shorter than recorded, or missing', async () => {
    const path = join(folder, 'trace');
    await expect(AppendFile.reopen(path, 1)).rejects.toThrow(StorageError);
    await (await AppendFile.create(path)).close();
    await expect(AppendFile.reopen(path, 1)).rejects.toThrow('it holds 0 bytes, 1 were recorded');
    await expect(AppendFile.create(join(folder, 'none', 'trace'))).rejects.toThrow(StorageError);
  });

  it('says that the disk is full', async () => {
    const file = await AppendFile.create('/dev/full');
    expect(() => file.append(Buffer.from('x'))).toThrow(
      expect.objectContaining({ code: 'storage', hint: 'The disk is full: free space on it.' }),
    );
    expect(file.sizeBytes).toBe(0);
    await file.close();
  });
});
