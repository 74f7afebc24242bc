const BLOCK_BYTES = 512;

/** The header of a file of root's in a tar that is made as it is sent. @param path at most 99 bytes */
export function fileHeader(path: string, mode: number, sizeBytes: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(path, 0, 99);
  block.write(`${octal(mode, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`, 100);
  block.write(`${octal(sizeBytes, 11)}\0${octal(0, 11)}\0${' '.repeat(8)}0`, 124);
  block.write('ustar\u000000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

/** What fills the last block of a file. */
export function tarPadding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

export function tarEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK_BYTES);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
