import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TreeSize {
  readonly files: number;
  readonly bytes: number;
}

/** What caches of dependencies look like: many small text files, some media, a few large ones. */
export const benchTree: TreeSize = { files: 12_000, bytes: 140_000_000 };

const filesPerFolder = 12;

/**
 * Makes a tree below a folder, the same for the same size on every machine: two thirds of its bytes are text that
 * compresses to about a quarter, a third cannot be compressed.
 */
export function makeTree(folder: string, { files, bytes }: TreeSize): void {
  const random = generator(20_231);
  const text = makeText(random, 24_000_000);
  const noise = makeNoise(random, Math.ceil(bytes / 2.8 / 4) * 4);
  const sizes = makeSizes(random, files);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  // Noise is not used twice: a long window would find it again.
  let [noiseBytes, allBytes] = [0, 0];
  for (const [index, weight] of sizes.entries()) {
    const path = join(folder, folderOf(Math.floor(index / filesPerFolder)));
    if (index % filesPerFolder === 0) mkdirSync(path, { recursive: true });
    const size = Math.round((weight / total) * bytes);
    // Larger files are the media.
    const isNoise = noiseBytes < allBytes / 3 && (size > 20_000 || index % 9 === 0);
    const start = isNoise ? noiseBytes : Math.floor(random() * text.length);
    if (isNoise) noiseBytes += size;
    allBytes += size;
    const name = isNoise ? `media-${index}.png` : `module-${index}.js`;
    writeFileSync(join(path, name), slice(isNoise ? noise : text, start, size));
    if (index % 400 === 0) symlinkSync(`./${name}`, join(path, `link-${index}`));
  }
}

function folderOf(number: number): string {
  return `packages/group-${number % 40}/package-${number % 200}/lib/part-${number}`;
}

/** Most files are small, most bytes are in large ones. */
function makeSizes(random: () => number, count: number): number[] {
  return Array.from({ length: count }, () => {
    const normal = random() + random() + random() + random() + random() + random() - 3;
    return Math.min(400_000, Math.exp(7.8 + normal * 2.1)) + 40;
  }).map((size, index) => (index % 1500 === 700 ? size + 2_500_000 : size));
}

function slice(source: Buffer, start: number, length: number): Buffer {
  if (start + length <= source.length) return source.subarray(start, start + length);
  return Buffer.concat([source.subarray(start), slice(source, 0, start + length - source.length)]);
}

function makeText(random: () => number, length: number): Buffer {
  const letters = 'etaoinshrdlucmfwypvbgkjqxz';
  const words = Array.from({ length: 3000 }, () => {
    const size = 2 + Math.floor(random() * 9);
    return Array.from({ length: size }, () => letters[Math.floor(random() ** 2 * letters.length)]).join('');
  });
  const joins = [' ', ' ', ' ', '.', '(', ') ', ' = ', ';\n', ', ', '\n  ', ' => {\n    '];
  const pick = (list: readonly string[], power: number): string =>
    list[Math.floor(random() ** power * list.length)] ?? '';
  const phrases = Array.from({ length: 6000 }, () => {
    const size = 2 + Math.floor(random() * 8);
    return Array.from({ length: size }, () => pick(words, 3) + pick(joins, 1)).join('');
  });
  const text = Buffer.alloc(length);
  for (let filled = 0; filled < length; ) filled += text.write(pick(phrases, 3), filled, 'latin1');
  return text;
}

function makeNoise(random: () => number, length: number): Buffer {
  const words = Uint32Array.from({ length: length / 4 }, () => random() * 2 ** 32);
  return Buffer.from(words.buffer);
}

/** Numbers from 0 to 1, the same in every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
