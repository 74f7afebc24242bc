import {
  type Elf,
  type ProgramHeader,
  programHeaderSize,
  readElf,
  readWord,
  segmentFlag,
  segmentType,
  writeEntry,
  writeSegmentSize,
  writeSegmentType,
} from './elf.ts';

const pageSize = 4096;
const dynamicEntrySize = 16;
const debugTag = 21;

/**
 * Makes a program say what it needs where there is no glibc, instead of "not found" (start-check.c says how).
 * The code goes into zeros that are mapped executable anyway, so nothing in the file moves.
 * @param file the program; changed in place.
 * @param code start-check.c as machine code.
 * @throws Error where the program has another shape than Node's for Linux on x86-64.
 */
export function addStartCheck(file: Buffer, code: Buffer): void {
  const elf = readElf(file);
  if (!elf.isExecutable) throw new Error('the program has no fixed addresses');
  const interpreter = elf.headers.findIndex((header) => header.type === segmentType.interpreter);
  if (interpreter === -1) throw new Error('the program has no interpreter: is the check in it already?');
  if (!hasDebugEntry(file, elf)) throw new Error('the program has no DT_DEBUG entry');
  const place = findPlace(file, elf, code.length + 16 + elf.headers.length * programHeaderSize);
  const tableAddress = place.address + code.length + 16;
  const piece = Buffer.concat([code, words(elf.entry, elf.headers.length), tableFor(file, elf, tableAddress)]);
  piece.copy(file, place.offset);
  writeSegmentSize(file, elf, place.segment, place.offset + piece.length - place.segmentOffset);
  writeSegmentType(file, elf, interpreter, segmentType.unused);
  writeEntry(file, place.address);
}

/** A loader notes in this entry that it linked the program; the code relies on it. */
function hasDebugEntry(file: Buffer, elf: Elf): boolean {
  const dynamic = elf.headers.find((header) => header.type === segmentType.dynamic);
  if (dynamic === undefined) return false;
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.fileSize; at += dynamicEntrySize) {
    if (readWord(file, at) === debugTag) return readWord(file, at + 8) === 0;
  }
  return false;
}

interface Place {
  readonly segment: number;
  readonly segmentOffset: number;
  readonly offset: number;
  readonly address: number;
}

/** Zeros behind an executable segment, before anything else in the file and in memory. */
function findPlace(file: Buffer, elf: Elf, size: number): Place {
  for (const [segment, header] of elf.headers.entries()) {
    if (header.type !== segmentType.load || (header.flags & segmentFlag.execute) === 0) continue;
    if (header.fileSize !== header.memorySize) continue;
    const shift = alignUp(header.offset + header.fileSize, 16) - header.offset;
    const place = {
      segment,
      segmentOffset: header.offset,
      offset: header.offset + shift,
      address: header.address + shift,
    };
    const isFree = file.subarray(place.offset, place.offset + size).every((byte) => byte === 0);
    if (isFree && place.offset + size <= file.length && isAlone(elf, header, shift + size)) return place;
  }
  throw new Error(`no executable segment is followed by ${size} unused bytes`);
}

/** Whether a segment grown to a size touches no page of another one, in the file or in memory. */
function isAlone(elf: Elf, grown: ProgramHeader, size: number): boolean {
  return elf.headers
    .filter((other) => other.type === segmentType.load && other !== grown)
    .every(
      (other) =>
        isApart(grown.offset, size, other.offset, other.fileSize) &&
        isApart(grown.address, size, other.address, other.memorySize),
    );
}

function isApart(start: number, size: number, otherStart: number, otherSize: number): boolean {
  return (
    alignUp(start + size, pageSize) <= alignDown(otherStart, pageSize) ||
    alignUp(otherStart + otherSize, pageSize) <= alignDown(start, pageSize)
  );
}

/** The program headers as the interpreter has to see them: as they were, but for their own place. */
function tableFor(file: Buffer, elf: Elf, address: number): Buffer {
  const size = elf.headers.length * programHeaderSize;
  const table = Buffer.from(file.subarray(elf.tableOffset, elf.tableOffset + size));
  const own = elf.headers.findIndex((header) => header.type === segmentType.headers);
  if (own !== -1) words(address, address, size, size).copy(table, own * programHeaderSize + 16);
  return table;
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8);
  for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), index * 8);
  return bytes;
}

function alignUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

function alignDown(value: number, step: number): number {
  return Math.floor(value / step) * step;
}
