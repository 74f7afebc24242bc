import { isUtf8 } from 'node:buffer';
import { posix } from 'node:path';
import { ArchiveError } from '../archive-error.ts';
import { pathText } from '../archive-path.ts';

export const blockBytes = 512;

export type TarKind = 'file' | 'directory' | 'symlink' | 'hardLink' | 'special';

/** An entry's header; names as bytes, for they need not be text. */
export interface TarHeader {
  readonly name: Buffer;
  readonly kind: TarKind;
  /** Permission bits, set-id bits and sticky bit. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** Where a link leads. */
  readonly linkName: Buffer;
}

const typeFlags: Readonly<Record<Exclude<TarKind, 'special'>, string>> = {
  file: '0',
  hardLink: '1',
  symlink: '2',
  directory: '5',
};

const largestId = 0o7777777;
const largestNumber = 0o77777777777;

/**
 * The blocks before an entry's content: a USTAR header, and before it PAX records for what does not fit (spec
 * cache-artifacts.md §3.5). Names of users and groups are left out: they would differ from host to host.
 */
export function tarHeader(entry: TarHeader & { readonly kind: keyof typeof typeFlags }): Buffer {
  const records: Buffer[] = [];
  const split = splitName(entry.name);
  const seconds = Math.floor(entry.modifiedMs / 1000);
  const names = [
    split === undefined ? entry.name : undefined,
    isPlain(entry.linkName, 100) ? undefined : entry.linkName,
  ];
  if (names.some((name) => name !== undefined && !isUtf8(name))) records.push(record('hdrcharset', 'BINARY'));
  if (split === undefined) records.push(record('path', entry.name));
  if (!isPlain(entry.linkName, 100)) records.push(record('linkpath', entry.linkName));
  if (entry.sizeBytes > largestNumber) records.push(record('size', String(entry.sizeBytes)));
  if (entry.uid > largestId) records.push(record('uid', String(entry.uid)));
  if (entry.gid > largestId) records.push(record('gid', String(entry.gid)));
  if (seconds < 0 || seconds > largestNumber) records.push(record('mtime', String(seconds)));
  const header = ustar(entry, split ?? { prefix: '', name: shortened(entry.name) }, seconds, typeFlags[entry.kind]);
  if (records.length === 0) return header;
  const body = Buffer.concat(records);
  const pax = { ...entry, sizeBytes: body.length, linkName: Buffer.alloc(0), mode: 0o644, uid: 0, gid: 0 };
  const paxHeader = ustar(pax, { prefix: '', name: shortened(entry.name, 'PaxHeaders.0/') }, 0, 'x');
  return Buffer.concat([paxHeader, body, Buffer.alloc(paddingOf(body.length)), header]);
}

/** Zeros that fill the last block of some content. */
export function paddingOf(sizeBytes: number): number {
  return (blockBytes - (sizeBytes % blockBytes)) % blockBytes;
}

function ustar(
  entry: TarHeader,
  place: { readonly prefix: string; readonly name: string },
  seconds: number,
  type: string,
): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.write(place.name, 0, 100, 'latin1');
  writeOctal(block, 100, 8, entry.mode & 0o7777);
  writeOctal(block, 108, 8, entry.uid > largestId ? 0 : entry.uid);
  writeOctal(block, 116, 8, entry.gid > largestId ? 0 : entry.gid);
  writeOctal(block, 124, 12, entry.sizeBytes > largestNumber ? 0 : entry.sizeBytes);
  writeOctal(block, 136, 12, seconds < 0 || seconds > largestNumber ? 0 : seconds);
  block.write(type, 156, 'latin1');
  if (isPlain(entry.linkName, 100)) entry.linkName.copy(block, 157);
  block.write('ustar\x0000', 257, 'latin1');
  block.write(place.prefix, 345, 155, 'latin1');
  block.write('        ', 148, 'latin1');
  writeOctal(block, 148, 7, checksum(block));
  return block;
}

function writeOctal(block: Buffer, at: number, width: number, value: number): void {
  block.write(
    Math.max(0, value)
      .toString(8)
      .padStart(width - 1, '0'),
    at,
    width - 1,
    'latin1',
  );
  block.writeUInt8(0, at + width - 1);
}

function isPlain(bytes: Buffer, room: number): boolean {
  return bytes.length <= room && bytes.every((byte) => byte > 0 && byte < 0x80);
}

/** @returns undefined where PAX has to hold the name. */
function splitName(name: Buffer): { readonly prefix: string; readonly name: string } | undefined {
  if (isPlain(name, 100)) return { prefix: '', name: name.toString('latin1') };
  if (!isPlain(name, 256)) return undefined;
  const text = name.toString('latin1');
  // The last slash that leaves no more than 100 characters, and something, behind it.
  const slash = text.indexOf('/', text.length - 101);
  if (slash <= 0 || slash > 155 || slash === text.length - 1) return undefined;
  return { prefix: text.slice(0, slash), name: text.slice(slash + 1) };
}

/** What readers without PAX see. */
function shortened(name: Buffer, before = ''): string {
  const text = name.toString('latin1').replaceAll(/[^ -~]/g, '_');
  return `${before}${posix.basename(text)}`.slice(0, 99);
}

function record(key: string, value: Buffer | string): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let index = 0; index < blockBytes; index += 1) {
    if (index < 148 || index >= 156) sum += block[index] ?? 0;
  }
  return sum;
}

/** What a block says; `type` is its letter. */
export interface RawTarHeader extends Omit<TarHeader, 'kind'> {
  readonly type: string;
}

/** Reads a header block; undefined for a block of zeros, which ends an archive. @throws ArchiveError where it is none. */
export function readTarHeader(block: Buffer): RawTarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  if (readNumber(block, 148, 8) !== checksum(block)) throw damagedTar('a header has a wrong checksum');
  const isUstar = block.toString('latin1', 257, 262) === 'ustar';
  const hasPrefix = isUstar && block[262] === 0;
  const prefix = hasPrefix ? cString(block, 345, 155) : Buffer.alloc(0);
  const name = cString(block, 0, 100);
  return {
    name: prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]),
    mode: readNumber(block, 100, 8) & 0o7777,
    uid: readNumber(block, 108, 8),
    gid: readNumber(block, 116, 8),
    sizeBytes: readNumber(block, 124, 12),
    modifiedMs: readNumber(block, 136, 12) * 1000,
    linkName: cString(block, 157, 100),
    type: block.toString('latin1', 156, 157),
  };
}

/** The records of a PAX header. @throws ArchiveError where they are none. */
export function readPaxRecords(body: Buffer): ReadonlyMap<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const length = space < 0 || space - at > 10 ? Number.NaN : Number(body.toString('latin1', at, space));
    const end = at + length;
    const equals = body.indexOf(0x3d, space);
    if (!(length > 0) || end > body.length || body[end - 1] !== 0x0a || equals < 0 || equals >= end) {
      throw damagedTar('a PAX header cannot be read');
    }
    records.set(body.toString('latin1', space + 1, equals), body.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

export function damagedTar(detail: string): ArchiveError {
  return new ArchiveError(`tarzstd: not a valid archive: ${detail}`);
}

/** For messages: control characters would spoil a line. */
export function shownName(name: Buffer): string {
  return pathText(name);
}

function cString(block: Buffer, at: number, room: number): Buffer {
  const end = block.indexOf(0, at);
  return block.subarray(at, end < 0 || end > at + room ? at + room : end);
}

/** Octal text, or binary where the first bit is set. */
function readNumber(block: Buffer, at: number, width: number): number {
  const first = block[at] ?? 0;
  if ((first & 0x80) !== 0) {
    const isNegative = (first & 0x40) !== 0;
    let value = isNegative ? (first & 0x7f) - 0x80 : first & 0x7f;
    for (let index = 1; index < width; index += 1) value = value * 256 + (block[at + index] ?? 0);
    if (!Number.isSafeInteger(value)) throw damagedTar('a number is out of range');
    return value;
  }
  const text = block
    .toString('latin1', at, at + width)
    .replaceAll('\0', ' ')
    .trim();
  if (text === '') return 0;
  if (!/^[0-7]+$/.test(text)) throw damagedTar('a number in a header is none');
  return Number.parseInt(text, 8);
}
