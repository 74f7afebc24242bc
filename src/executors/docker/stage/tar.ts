/** One entry of a small archive that is made in memory. */
export interface TarEntry {
  /** Relative, without a leading slash; a folder's ends with a slash. */
  readonly path: string;
  readonly mode: number;
  /** Absent for folders. */
  readonly content?: Uint8Array | string;
}

const blockBytes = 512;

/** A tar of files and folders that belong to root, for the daemon to unpack in a container. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  const blocks: Buffer[] = [];
  for (const { path, mode, content } of entries) {
    if (Buffer.byteLength(path) > 99) blocks.push(...fileBlocks('././@LongLink', 'L', 0, Buffer.from(`${path}\0`)));
    const bytes = Buffer.from(content ?? '');
    blocks.push(...fileBlocks(path, content === undefined ? '5' : '0', mode, bytes));
  }
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)]);
}

function fileBlocks(path: string, type: string, mode: number, content: Buffer): readonly Buffer[] {
  const padding = Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes);
  return [header(path, type, mode, content.length), content, padding];
}

function header(path: string, type: string, mode: number, size: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  Buffer.from(path).copy(block, 0, 0, 99);
  block.write(`${octal(mode, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`, 100);
  block.write(`${octal(size, 11)}\0${octal(0, 11)}\0${' '.repeat(8)}${type}`, 124);
  block.write('ustar  \0', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
