import { zstdCompressSync } from 'node:zlib';
import { buildTar } from '../../support/tar-builder.ts';
import { buildZip } from '../../support/zip-builder.ts';

const text = 'text that compresses, '.repeat(20);
const packed = zstdCompressSync(text);

/** Honest archives of each format, small enough that every byte is hit now and then. */
const zips: readonly Buffer[] = [
  buildZip([
    { name: 'dir/', mode: 0o040755 },
    { name: 'dir/file', content: text, deflate: true },
    { name: 'link', content: 'dir/file', mode: 0o120777 },
    { name: 'stored', content: 'x' },
  ]),
  buildZip([{ name: 'a/b/file', content: packed, method: 93, declaredSize: text.length }, { name: 'empty' }]),
];
const tars: readonly Buffer[] = [
  buildTar([
    { name: 'dir/', type: '5', mode: 0o755 },
    { name: 'dir/file', content: text },
    { name: 'link', type: '2', linkName: 'dir/file' },
    { name: 'hard', type: '1', linkName: 'dir/file' },
  ]),
  buildTar([
    { name: 'pax', type: 'x', content: '18 path=a/b/named\n' },
    { name: 'short', content: 'x' },
  ]),
];

/** A damaged archive. Tars are damaged before compression as often as after it, or nothing would come past that. */
export function damagedArchive(random: () => number): Buffer {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const kind = random();
  if (kind < 0.6) return damage(pick(zips), random);
  if (kind < 0.85)
    return zstdCompressSync(random() < 0.3 ? damage(pick(tars), random) : summed(damage(pick(tars), random)));
  return damage(zstdCompressSync(pick(tars)), random);
}

/** With right checksums, or no damage to a header would be read. */
function summed(tar: Buffer): Buffer {
  for (let at = 0; at + 512 <= tar.length; at += 512) {
    const block = tar.subarray(at, at + 512);
    if (block.toString('latin1', 257, 262) !== 'ustar') continue;
    block.fill(' ', 148, 156);
    block.write(
      `${block
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0`,
      148,
      'latin1',
    );
  }
  return tar;
}

/** Values that break sums and limits. */
const odd = [0, 1, 0x7f, 0x80, 0xff, 0x2f, 0x2e, 0x5c];

function damage(bytes: Buffer, random: () => number): Buffer {
  let result = Buffer.from(bytes);
  const at = (): number => Math.floor(random() * result.length);
  const count = 1 + Math.floor(random() ** 3 * 8);
  for (let index = 0; index < count && result.length > 0; index += 1) {
    const kind = random();
    if (kind < 0.35) result[at()] = Math.floor(random() * 256);
    else if (kind < 0.6) result[at()] = odd[Math.floor(random() * odd.length)] ?? 0;
    else if (kind < 0.75) {
      const start = at();
      const end = Math.min(result.length, start + 1 + Math.floor(random() * 8));
      result.fill(random() < 0.5 ? 0xff : 0, start, end);
    } else if (kind < 0.85) result = result.subarray(0, at());
    else {
      const [from, to] = [at(), at()];
      result = Buffer.concat([result.subarray(0, from), result.subarray(to)]).subarray(0, 20_000);
    }
  }
  return result;
}
