import { deflateRawSync, zstdCompressSync } from 'node:zlib';
import { type BuiltTarEntry, buildTar, buildTarZstd } from '../../support/tar-builder.ts';
import { type BuiltEntry, buildZip } from '../../support/zip-builder.ts';

/** An archive that must be refused, and what the refusal has to name. */
export interface HostileArchive {
  readonly name: string;
  readonly bytes: Buffer;
  readonly names: string;
}

const link = (name: string, to: string): BuiltEntry => ({ name, content: to, mode: 0o120777 });
const tarLink = (name: string, linkName: string): BuiltTarEntry => ({ name, type: '2', linkName });

function zip(name: string, names: string, ...entries: BuiltEntry[]): HostileArchive {
  return { name: `zip: ${name}`, names, bytes: buildZip(entries) };
}

function tar(name: string, names: string, ...entries: BuiltTarEntry[]): HostileArchive {
  return { name: `tarzstd: ${name}`, names, bytes: buildTarZstd(entries) };
}

const bomb = Buffer.alloc(8 * 1024 * 1024);

/** Everything here also holds an honest entry, so that something could be written. */
export const hostileArchives: readonly HostileArchive[] = [
  ...['../evil', 'a/../../evil', 'ok/../../evil', '..', './../evil'].flatMap((name) => [
    zip(`name ${name}`, 'outside of chroot', { name: 'good', content: 'x' }, { name, content: 'x' }),
    tar(`name ${name}`, 'outside of chroot', { name: 'good', content: 'x' }, { name, content: 'x' }),
  ]),
  zip('file below its own link', 'out/evil', link('out', '..'), { name: 'out/evil', content: 'x' }),
  zip('file below a later link', 'out/evil', { name: 'out/evil', content: 'x' }, link('out', '..')),
  zip('directory below its own link', 'out/evil', link('out', '..'), { name: 'out/evil/', mode: 0o040755 }),
  zip('link that is a file too', '"out" as two', link('out', '../evil'), { name: 'out', content: 'x' }),
  zip('file as a directory', 'f/evil', { name: 'f', content: 'x' }, { name: 'f/evil', content: 'x' }),
  zip('impossible name', 'impossible', { name: 'good', content: 'x' }, { name: 'a\0b', content: 'x' }),
  zip('no name', 'impossible', { name: 'good', content: 'x' }, { name: '', content: 'x' }),
  zip('the target as a file', '"."', { name: 'good', content: 'x' }, { name: '.', content: 'x' }),
  zip('text of a link too long', '"long"', { name: 'good', content: 'x' }, link('long', 'x/'.repeat(4000))),
  zip('wrong checksum', '"bad"', { name: 'good', content: 'x' }, { name: 'bad', content: 'x', declaredCrc: 1 }),
  zip('encrypted', '"bad"', { name: 'good', content: 'x' }, { name: 'bad', content: 'x', flags: 1 }),
  zip('unknown compression', '"bad"', { name: 'good', content: 'x' }, { name: 'bad', content: 'x', method: 12 }),
  zip('not deflate', '"bad"', { name: 'good', content: 'x' }, { name: 'bad', content: '\xff\xff\xff', method: 8 }),
  zip('not zstd', '"bad"', { name: 'good', content: 'x' }, { name: 'bad', content: 'zzzzzzzz', method: 93 }),
  zip(
    'more than declared (deflate)',
    '"bomb"',
    { name: 'good', content: 'x' },
    { name: 'bomb', content: deflateRawSync(bomb), method: 8, declaredSize: 10, declaredCrc: 0 },
  ),
  zip(
    'more than declared (zstd)',
    '"bomb"',
    { name: 'good', content: 'x' },
    { name: 'bomb', content: zstdCompressSync(bomb), method: 93, declaredSize: 10, declaredCrc: 0 },
  ),
  zip(
    'less than declared (zstd)',
    '"bomb"',
    { name: 'good', content: 'x' },
    { name: 'bomb', content: zstdCompressSync(Buffer.alloc(10)), method: 93, declaredSize: 1000, declaredCrc: 0 },
  ),
  zip('more than the limit', 'limit', { name: 'good', content: 'x' }, { name: 'big', declaredSize: 2 ** 31 }),
  zip('data used twice', '"again"', { name: 'good', content: 'x' }, { name: 'again', sharesOffsetOf: 0 }),
  tar('file below its own link', 'out/evil', tarLink('out', '..'), { name: 'out/evil', content: 'x' }),
  tar('file below a later link', '"out"', { name: 'out/evil', content: 'x' }, tarLink('out', '..')),
  tar('link that is a file too', '"out" as two', tarLink('out', '../evil'), { name: 'out', content: 'x' }),
  tar('the target as a file', 'target', { name: 'good', content: 'x' }, { name: '.', content: 'x' }),
  tar('hard link out', 'outside of chroot', { name: 'hard', type: '1', linkName: '../outside' }),
  tar('hard link to a link', '"hard"', tarLink('l', '../outside'), { name: 'hard', type: '1', linkName: 'l' }),
  tar('hard link to nothing', '"hard"', { name: 'good', content: 'x' }, { name: 'hard', type: '1', linkName: 'no' }),
  tar('unknown kind', '"odd"', { name: 'good', content: 'x' }, { name: 'odd', type: 'S' }),
  tar('more than the limit', 'limit', { name: 'good', content: 'x' }, { name: 'big', declaredSize: 2 ** 31 }),
  tar('cut off', 'cut off', { name: 'good', content: 'x' }, { name: 'cut', declaredSize: 100_000 }),
  tar('wrong checksum', 'checksum', { name: 'good', content: 'x' }, { name: 'bad', isChecksumWrong: true }),
  {
    name: 'tarzstd: frame cut off',
    names: 'cut off',
    bytes: zstdCompressSync(buildTar([{ name: 'good', content: Buffer.alloc(200_000, 'abc') }])).subarray(0, -3),
  },
];
