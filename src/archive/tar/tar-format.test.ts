import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordingLogger } from '../../../test/support/recording-logger.ts';
import { defaultExtractionLimits } from '../extract/limits.ts';
import { selectFiles } from '../selection/select-files.ts';
import type { SelectedEntry } from '../selection/selected-entry.ts';
import { unpackArchive } from '../unpack.ts';
import { tarzstdFormat } from './tar-format.ts';

const { signal } = new AbortController();
let base: string;
let root: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'tar-'));
  root = join(base, 'from');
  mkdirSync(root);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

async function select(): Promise<readonly SelectedEntry[]> {
  const request = { root, paths: ['.'], excludes: [], untracked: false };
  return await selectFiles(request, { log: recordingLogger().logger, listUntracked: async () => [] }, signal);
}

async function pack(concurrency = 2): Promise<Buffer> {
  const blocks: Buffer[] = [];
  const request = { root, entries: await select(), level: 'default' as const, concurrency, problem: () => {} };
  for await (const block of tarzstdFormat.write?.(request, signal) ?? []) blocks.push(block);
  return Buffer.concat(blocks);
}

async function unpack(bytes: Buffer): Promise<string> {
  const [path, target] = [join(base, 'archive'), join(base, 'to')];
  writeFileSync(path, bytes);
  mkdirSync(target);
  await unpackArchive({ path, target, limits: defaultExtractionLimits, concurrency: 2 }, signal);
  return target;
}

describe('a tarzstd of a tree', () => {
  it('holds names of any length and bytes, large files and links', async () => {
    const deep = join(...Array.from({ length: 12 }, (_, index) => `a folder with a long name ${index}`));
    mkdirSync(join(root, deep), { recursive: true });
    writeFileSync(join(root, deep, 'file'), 'deep');
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x62, 0xff])]), 'odd');
    const large = Buffer.alloc(5_000_001, 'not so random ');
    writeFileSync(join(root, 'large'), large);
    symlinkSync('x'.repeat(300), join(root, 'link'));
    const target = await unpack(await pack());
    expect(readFileSync(join(target, deep, 'file'), 'utf8')).toBe('deep');
    const odd = Buffer.concat([Buffer.from(`${target}/`), Buffer.from([0x62, 0xff])]);
    expect(readFileSync(odd, 'utf8')).toBe('odd');
    expect(readFileSync(join(target, 'large')).equals(large)).toBe(true);
    expect(readlinkSync(join(target, 'link'))).toBe('x'.repeat(300));
    const seconds = (path: string): number => Math.floor(lstatSync(path).mtimeMs / 1000);
    expect(seconds(join(target, 'large'))).toBe(seconds(join(root, 'large')));
  });

  it('is the same bytes every time, however many threads make it', async () => {
    for (let index = 0; index < 400; index += 1) writeFileSync(join(root, `f${index}`), `${index} `.repeat(index * 20));
    const first = await pack(1);
    expect((await pack(3)).equals(first)).toBe(true);
  });
});
