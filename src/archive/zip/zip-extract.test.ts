import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BuiltEntry, buildZip } from '../../../test/support/zip-builder.ts';
import { AbortReason } from '../../lib/abort.ts';
import { defaultExtractionLimits } from '../extract/limits.ts';
import { unpackArchive } from '../unpack.ts';

let base: string;
let target: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'unzip-'));
  target = join(base, 'target');
  mkdirSync(target);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

async function unpack(
  bytes: Buffer,
  limits: Partial<typeof defaultExtractionLimits> = {},
  signal = new AbortController().signal,
) {
  const path = join(base, 'archive.zip');
  writeFileSync(path, bytes);
  return await unpackArchive(
    { path, target, limits: { ...defaultExtractionLimits, ...limits }, concurrency: 2 },
    signal,
  );
}

function unpackEntries(...entries: BuiltEntry[]) {
  return unpack(buildZip(entries));
}

function link(name: string, to: string): BuiltEntry {
  return { name, content: to, mode: 0o120777 };
}

/** Nothing but the archive and the target is there. */
function expectNothingOutside(): void {
  expect(readdirSync(base).sort()).toEqual(['archive.zip', 'target']);
}

describe('unpacking a zip', () => {
  it('writes files, directories and links with modes and times', async () => {
    const time = Buffer.from([0x55, 0x54, 5, 0, 1, 0, 0, 0, 0]);
    time.writeUInt32LE(1_500_000_000, 5);
    await unpackEntries(
      { name: 'd/', mode: 0o040750, extra: time },
      { name: 'd/f', content: 'hello', mode: 0o100600, extra: time, deflate: true },
      link('l', 'd/f'),
      { name: 'implied/dir/x', content: 'x' },
    );
    expect(readFileSync(join(target, 'd/f'), 'utf8')).toBe('hello');
    expect(statSync(join(target, 'd/f')).mode & 0o7777).toBe(0o600);
    expect(statSync(join(target, 'd')).mode & 0o7777).toBe(0o750);
    expect(statSync(join(target, 'd')).mtimeMs).toBe(1_500_000_000_000);
    expect(statSync(join(target, 'd/f')).mtimeMs).toBe(1_500_000_000_000);
    expect(readlinkSync(join(target, 'l'))).toBe('d/f');
    expect(readFileSync(join(target, 'implied/dir/x'), 'utf8')).toBe('x');
  });

  it('replaces files, links and empty directories that are in the way', async () => {
    writeFileSync(join(base, 'outside'), 'untouched');
    writeFileSync(join(target, 'file'), 'a much longer old content');
    symlinkSync('../outside', join(target, 'link'));
    mkdirSync(join(target, 'dir'));
    symlinkSync(base, join(target, 'was-link'));
    await unpackEntries(
      { name: 'file', content: 'new' },
      { name: 'link', content: 'new' },
      { name: 'dir', content: 'new' },
      { name: 'was-link/', mode: 0o040755 },
      { name: 'was-link/in', content: 'in' },
    );
    expect(readFileSync(join(target, 'file'), 'utf8')).toBe('new');
    expect(lstatSync(join(target, 'link')).isFile()).toBe(true);
    expect(readFileSync(join(base, 'outside'), 'utf8')).toBe('untouched');
    expect(lstatSync(join(target, 'dir')).isFile()).toBe(true);
    expect(lstatSync(join(target, 'was-link')).isDirectory()).toBe(true);
    expect(existsSync(join(base, 'in'))).toBe(false);
  });

  it('does not remove a directory that holds something', async () => {
    mkdirSync(join(target, 'dir'));
    writeFileSync(join(target, 'dir/precious'), 'x');
    await expect(unpackEntries({ name: 'dir', content: 'x' })).rejects.toThrow('cannot extract "dir"');
    expect(existsSync(join(target, 'dir/precious'))).toBe(true);
  });

  it('fills a directory that lets nobody write, and leaves it so', async () => {
    mkdirSync(join(target, 'ro'));
    await unpackEntries({ name: 'ro/', mode: 0o040555 }, { name: 'ro/x', content: 'x', mode: 0o100444 });
    await unpackEntries({ name: 'ro/', mode: 0o040555 }, { name: 'ro/x', content: 'y', mode: 0o100444 });
    expect(readFileSync(join(target, 'ro/x'), 'utf8')).toBe('y');
    expect(statSync(join(target, 'ro')).mode & 0o777).toBe(0o555);
    chmodSync(join(target, 'ro'), 0o755);
  });

  it('drops setuid bits, devices, pipes and sockets', async () => {
    const entries = await unpackEntries(
      { name: 'suid', content: 'x', mode: 0o104755 },
      { name: 'null', mode: 0o020666 },
      { name: 'pipe', mode: 0o010666 },
      { name: 'socket', mode: 0o140666 },
    );
    expect(readdirSync(target)).toEqual(['suid']);
    expect(statSync(join(target, 'suid')).mode & 0o7777).toBe(0o755);
    expect(entries.map(({ path }) => path)).toEqual(['suid']);
  });

  it('reads archives of other systems, with something before and a comment after', async () => {
    const entries: BuiltEntry[] = [
      { name: 'dos/', host: 0, mode: 0 },
      { name: 'dos/f', content: 'x', host: 0, mode: 0 },
    ];
    await unpack(buildZip(entries, { prefix: Buffer.from('#!/bin/sh\nexit\n'), comment: 'PK and so on' }));
    expect(readFileSync(join(target, 'dos/f'), 'utf8')).toBe('x');
  });

  it.each([1, 2, 4])('takes owners of %i bytes', async (width) => {
    const ids = Buffer.alloc(width);
    ids.writeUIntLE(7, 0, width);
    const body = Buffer.concat([Buffer.of(1, width), ids, Buffer.of(width), ids]);
    const extra = Buffer.concat([Buffer.of(0x75, 0x78, body.length, 0), body]);
    await unpackEntries({ name: 'f', content: 'x', extra });
    if (process.getuid?.() === 0) expect(statSync(join(target, 'f')).uid).toBe(7);
    expect(readFileSync(join(target, 'f'), 'utf8')).toBe('x');
  });

  it('keeps names that are not valid UTF-8', async () => {
    await unpackEntries({ name: Buffer.from([0x61, 0xff, 0x62]), content: 'x' });
    expect(readdirSync(target, { encoding: 'buffer' })).toEqual([Buffer.from([0x61, 0xff, 0x62])]);
  });
});

describe('hostile archives', () => {
  it.each(['../x', 'a/../../x', '..', './../x', 'a/b/../../../x'])('refuse the name %s', async (name) => {
    await expect(unpackEntries({ name: 'first', content: 'x' }, { name, content: 'x' })).rejects.toThrow(
      `cannot be extracted outside of chroot (${target})`,
    );
    expect(readdirSync(target)).toEqual([]);
    expectNothingOutside();
  });

  it('take absolute names as relative', async () => {
    await unpackEntries({ name: '/etc/x', content: 'x' });
    expect(existsSync(join(target, 'etc/x'))).toBe(true);
  });

  it('do not write through a link of their own', async () => {
    await expect(unpackEntries(link('l', '..'), { name: 'l/x', content: 'x' })).rejects.toThrow('no directory');
    await expect(unpackEntries({ name: 'l/x', content: 'x' }, link('l', '..'))).rejects.toThrow('no directory');
    await expect(unpackEntries(link('l', '..'), link('l/m', 'x'))).rejects.toThrow('no directory');
    await expect(unpackEntries(link('f', '../f'), { name: 'f', content: 'x' })).rejects.toThrow('two different things');
    await expect(unpackEntries({ name: 'd/', mode: 0o040777 }, link('d', '..'))).rejects.toThrow(
      'two different things',
    );
    expectNothingOutside();
  });

  it('do not write through a link that was there', async () => {
    mkdirSync(join(base, 'elsewhere'));
    symlinkSync('../elsewhere', join(target, 'l'));
    await expect(unpackEntries({ name: 'l/x', content: 'x' })).rejects.toThrow('symbolic link');
    await expect(unpackEntries({ name: 'l/deep/', mode: 0o040777 })).rejects.toThrow('symbolic link');
    await expect(unpackEntries(link('l/m', 'x'))).rejects.toThrow('symbolic link');
    expect(readdirSync(join(base, 'elsewhere'))).toEqual([]);
  });

  it('may hold links that lead anywhere: they are only text', async () => {
    await unpackEntries(link('abs', '/etc/passwd'), link('up', '../../..'), link('dangling', 'nowhere'));
    expect(readlinkSync(join(target, 'abs'))).toBe('/etc/passwd');
    expect(readlinkSync(join(target, 'up'))).toBe('../../..');
  });

  it('refuse data used twice', async () => {
    const entries = [
      { name: 'a', content: 'x'.repeat(1000), deflate: true },
      { name: 'b', content: 'x'.repeat(1000), deflate: true, sharesOffsetOf: 0 },
    ];
    await expect(unpackEntries(...entries)).rejects.toThrow('overlap');
  });

  it.each([true, false])('stop at content larger than declared (small: %s)', async (isSmall) => {
    const content = Buffer.alloc(isSmall ? 100_000 : 2_000_000);
    await expect(
      unpackEntries({ name: 'bomb', content, deflate: true, declaredSize: isSmall ? 10 : 400_000 }),
    ).rejects.toThrow('bomb');
  });

  it('keep the limits', async () => {
    const bytes = buildZip([
      { name: 'a', content: 'x'.repeat(60) },
      { name: 'b', content: 'x'.repeat(60) },
    ]);
    await expect(unpack(bytes, { maxEntries: 1 })).rejects.toThrow('2 entries, more than the limit of 1');
    await expect(unpack(bytes, { maxTotalBytes: 100 })).rejects.toThrow('120 bytes, more than the limit of 100');
    expect(readdirSync(target)).toEqual([]);
  });

  it('refuse a wrong checksum, encryption and unknown compression', async () => {
    await expect(unpackEntries({ name: 'f', content: 'x', declaredCrc: 1 })).rejects.toThrow('checksum error');
    await expect(unpackEntries({ name: 'f', content: 'x', flags: 1 })).rejects.toThrow('encrypted');
    await expect(unpackEntries({ name: 'f', content: 'x', method: 14 })).rejects.toThrow('method 14');
  });

  it.each([0, 1, 10, 50, 100, 140])('say so when cut off by %i bytes at the end or garbage', async (cut) => {
    const bytes = buildZip([{ name: 'file', content: 'content', deflate: true }]);
    const damaged = cut === 0 ? Buffer.from('not an archive') : bytes.subarray(0, Math.max(0, bytes.length - cut));
    await expect(unpack(damaged)).rejects.toThrow('zip: not a valid zip file');
  });

  it('never crash or escape on damaged bytes', async () => {
    const bytes = buildZip([
      { name: 'd/', mode: 0o040755 },
      { name: 'd/f', content: 'some content here', deflate: true },
      link('l', 'd/f'),
    ]);
    for (let index = 0; index < bytes.length; index += 1) {
      const damaged = Buffer.from(bytes);
      damaged.writeUInt8(damaged.readUInt8(index) ^ 0xff, index);
      await unpack(damaged).catch((error: unknown) => expect(error).toHaveProperty('code', 'archive_failed'));
      expectNothingOutside();
    }
  });

  it('are told by their magic what they are', async () => {
    await expect(unpack(Buffer.from([0x1f, 0x8b, 8, 0]))).rejects.toThrow('"gzip" format: unsupported archive format');
    await expect(unpack(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]))).rejects.toThrow('tarzstd: not a valid archive');
  });
});

describe('a stopped unpacking', () => {
  it('ends with the reason', async () => {
    const controller = new AbortController();
    controller.abort(new AbortReason('canceled'));
    await expect(unpack(buildZip([{ name: 'f', content: 'x' }]), {}, controller.signal)).rejects.toThrow('canceled');
    expect(readdirSync(target)).toEqual([]);
  });
});
