import { zstdCompressSync } from 'node:zlib';

/** An entry of a hand-made tar; what is not given is what an honest archive would have. */
export interface BuiltTarEntry {
  readonly name: string | Buffer;
  readonly content?: string | Buffer;
  /** Type letter: 0 file, 1 hard link, 2 symbolic link, 5 directory, … */
  readonly type?: string;
  readonly mode?: number;
  readonly linkName?: string;
  readonly declaredSize?: number;
  readonly isChecksumWrong?: boolean;
}

/** Builds tar archives block by block, honest or hostile. Independent of the product's own writer. */
export function buildTar(entries: readonly BuiltTarEntry[], options: { readonly hasEnd?: boolean } = {}): Buffer {
  const blocks = entries.flatMap((entry) => {
    const content = Buffer.from(entry.content ?? '');
    return [header(entry, content.length), content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(options.hasEnd === false ? 0 : 1024)]);
}

/** The same, compressed as one zstd frame. */
export function buildTarZstd(entries: readonly BuiltTarEntry[]): Buffer {
  return zstdCompressSync(buildTar(entries));
}

function header(entry: BuiltTarEntry, size: number): Buffer {
  const block = Buffer.alloc(512);
  Buffer.from(entry.name).copy(block, 0, 0, 100);
  const octal = (value: number, at: number, width: number): void => {
    block.write(value.toString(8).padStart(width - 1, '0'), at, 'latin1');
  };
  octal(entry.mode ?? 0o644, 100, 8);
  octal(process.getuid?.() ?? 0, 108, 8);
  octal(process.getgid?.() ?? 0, 116, 8);
  octal(entry.declaredSize ?? size, 124, 12);
  octal(1_500_000_000, 136, 12);
  block.write(entry.type ?? '0', 156, 'latin1');
  block.write(entry.linkName ?? '', 157, 100, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write('        ', 148, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, entry.isChecksumWrong === true ? 1 : 0);
  octal(sum, 148, 7);
  return block;
}
