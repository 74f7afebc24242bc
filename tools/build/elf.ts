// The little of ELF that the build has to know (64 bit, little endian: what Linux on x86-64 runs).

/** One entry of the program header table: what the kernel maps, and where. */
export interface ProgramHeader {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
}

export interface Elf {
  readonly isExecutable: boolean;
  readonly entry: number;
  /** Where the program header table is in the file. */
  readonly tableOffset: number;
  readonly headers: readonly ProgramHeader[];
}

export const segmentType = { unused: 0, load: 1, dynamic: 2, interpreter: 3, headers: 6 } as const;
export const segmentFlag = { execute: 1 } as const;
export const programHeaderSize = 56;
const x86 = 62;
const executableType = 2;

/** @throws Error where the file is no ELF program for x86-64. */
export function readElf(file: Buffer): Elf {
  const isKnown = file.subarray(0, 6).equals(Buffer.from('\u007fELF\u0002\u0001', 'latin1'));
  if (!isKnown || file.readUInt16LE(18) !== x86) throw new Error('not an ELF program for x86-64');
  const tableOffset = readWord(file, 32);
  const count = file.readUInt16LE(56);
  return {
    isExecutable: file.readUInt16LE(16) === executableType,
    entry: readWord(file, 24),
    tableOffset,
    headers: Array.from({ length: count }, (_, index) => readHeader(file, tableOffset + index * programHeaderSize)),
  };
}

function readHeader(file: Buffer, at: number): ProgramHeader {
  return {
    type: file.readUInt32LE(at),
    flags: file.readUInt32LE(at + 4),
    offset: readWord(file, at + 8),
    address: readWord(file, at + 16),
    fileSize: readWord(file, at + 32),
    memorySize: readWord(file, at + 40),
  };
}

/** Changes the type of one program header; type `unused` makes the kernel pass over it. */
export function writeSegmentType(file: Buffer, elf: Elf, index: number, type: number): void {
  file.writeUInt32LE(type, elf.tableOffset + index * programHeaderSize);
}

/** Lets a segment take in what follows it in the file. */
export function writeSegmentSize(file: Buffer, elf: Elf, index: number, size: number): void {
  const at = elf.tableOffset + index * programHeaderSize;
  file.writeBigUInt64LE(BigInt(size), at + 32);
  file.writeBigUInt64LE(BigInt(size), at + 40);
}

export function writeEntry(file: Buffer, entry: number): void {
  file.writeBigUInt64LE(BigInt(entry), 24);
}

/** A 64-bit word that is an address or a size, and so fits a number. */
export function readWord(file: Buffer, at: number): number {
  return Number(file.readBigUInt64LE(at));
}
