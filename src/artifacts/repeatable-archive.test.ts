import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSpoolFile } from '../platform/spool-file.ts';
import { repeatableArchive } from './repeatable-archive.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spool-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function readAll(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

/** An archive of pieces of a MiB, each filled with its number, and how often it was made. */
function counted(pieces: number) {
  let made = 0;
  async function* make(): AsyncGenerator<Buffer> {
    made += 1;
    for (let index = 0; index < pieces; index += 1) yield Buffer.alloc(1024 * 1024, index);
  }
  return { make, made: () => made };
}

describe('an archive that is sent several times', () => {
  it.each([
    [3, 1],
    [12, 2],
  ])('of %i MiB is made %i times at most', async (pieces, times) => {
    const { make, made } = counted(pieces);
    const archive = repeatableArchive(make, () => createSpoolFile(directory));
    const first = await readAll(archive.open());
    for (let index = 0; index < 4; index += 1) expect((await readAll(archive.open())).equals(first)).toBe(true);
    expect(first).toHaveLength(pieces * 1024 * 1024);
    expect(made()).toBe(times);
    expect(readdirSync(directory)).toEqual([]);
    await archive.close();
    await archive.close();
  });

  it('is whole after a first time that was broken off', async () => {
    const { make } = counted(3);
    const archive = repeatableArchive(make, () => createSpoolFile(directory));
    for await (const piece of archive.open()) if (piece.length > 0) break;
    expect(await readAll(archive.open())).toHaveLength(3 * 1024 * 1024);
    await archive.close();
  });

  it.each<[string, () => ReturnType<typeof createSpoolFile>]>([
    ['no temporary file can be made', () => createSpoolFile('/nowhere/at/all')],
    [
      'the disk is full',
      async () => ({ ...(await createSpoolFile(directory)), write: () => Promise.reject(new Error('ENOSPC')) }),
    ],
  ])('is made each time where %s', async (_what, createSpool) => {
    const { make } = counted(10);
    const archive = repeatableArchive(make, createSpool);
    const first = await readAll(archive.open());
    expect((await readAll(archive.open())).equals(first)).toBe(true);
    expect((await readAll(archive.open())).equals(first)).toBe(true);
    await archive.close();
  });

  it('passes on why it cannot be made', async () => {
    let made = 0;
    const archive = repeatableArchive(
      async function* make() {
        made += 1;
        yield Buffer.alloc(9 * 1024 * 1024);
        throw new Error(`no ${made}`);
      },
      () => createSpoolFile(directory),
    );
    await expect(readAll(archive.open())).rejects.toThrow('no 1');
    await expect(readAll(archive.open())).rejects.toThrow('no 2');
    await archive.close();
  });
});
