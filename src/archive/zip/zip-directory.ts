import type { ArchiveFile } from '../../platform/archive-file.ts';
import type { EntryKind } from '../../platform/file-tree.ts';
import { ArchiveError } from '../archive-error.ts';
import { pathText } from '../archive-path.ts';
import {
  centralHeaderBytes,
  centralSignature,
  end64LocatorBytes,
  end64LocatorSignature,
  end64RecordBytes,
  end64Signature,
  endRecordBytes,
  endSignature,
  extraTimestamp,
  extraUnixOwner,
  extraZip64,
  limit16,
  limit32,
} from './zip-records.ts';

/** An entry as the central directory describes it. */
export interface ZipEntry {
  readonly name: string;
  readonly kind: EntryKind;
  readonly mode: number;
  readonly modifiedMs: number;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly compressedBytes: number;
  readonly sizeBytes: number;
  /** Place of the local header in the file. */
  readonly offset: number;
  readonly nameBytes: number;
}

export interface ZipDirectory {
  readonly entries: readonly ZipEntry[];
  /** Where the central directory starts: everything before it is data. */
  readonly start: number;
}

interface EndOfArchive {
  readonly entryCount: number;
  readonly centralBytes: number;
  readonly start: number;
  /** Bytes before the archive proper (a program, say): offsets do not count them. */
  readonly prefixBytes: number;
}

/**
 * Reads the list of a ZIP file.
 * @throws ArchiveError where it is none or is damaged, or has more than `maxEntries` entries.
 */
export function readZipDirectory(file: ArchiveFile, maxEntries: number): ZipDirectory {
  const end = findEnd(file);
  if (end.entryCount > maxEntries) {
    throw new ArchiveError(`the archive has ${end.entryCount} entries, more than the limit of ${maxEntries}`);
  }
  // Each entry takes its header's bytes at least: a false count must not make us wait or reserve.
  if (end.entryCount * centralHeaderBytes > end.centralBytes) throw damaged();
  const bytes = file.readNow(end.start, end.centralBytes);
  if (bytes.length < end.centralBytes) throw damaged();
  const entries: ZipEntry[] = [];
  let position = 0;
  for (let index = 0; index < end.entryCount; index += 1) {
    const { entry, length } = readEntry(bytes, position, end.prefixBytes);
    entries.push(entry);
    position += length;
  }
  return { entries, start: end.start };
}

export function damaged(detail = 'it is damaged'): ArchiveError {
  return new ArchiveError(`zip: not a valid zip file: ${detail}`);
}

function findEnd(file: ArchiveFile): EndOfArchive {
  const tailBytes = Math.min(file.sizeBytes, endRecordBytes + limit16 + end64LocatorBytes);
  const tailStart = file.sizeBytes - tailBytes;
  const tail = file.readNow(tailStart, tailBytes);
  for (let at = tail.length - endRecordBytes; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== endSignature) continue;
    if (at + endRecordBytes + tail.readUInt16LE(at + 20) > tail.length) continue;
    return readEnd(file, tail, at, tailStart);
  }
  throw new ArchiveError('zip: not a valid zip file', { hint: 'The file is cut off, or is no archive at all.' });
}

function readEnd(file: ArchiveFile, tail: Buffer, at: number, tailStart: number): EndOfArchive {
  let entryCount = tail.readUInt16LE(at + 10);
  let centralBytes = tail.readUInt32LE(at + 12);
  let declaredStart = tail.readUInt32LE(at + 16);
  let directoryEnd = tailStart + at;
  if (entryCount === limit16 || centralBytes === limit32 || declaredStart === limit32) {
    const wide = findEnd64(file, tail, at);
    if (wide !== undefined) {
      entryCount = readNumber(wide.record, 32);
      centralBytes = readNumber(wide.record, 40);
      declaredStart = readNumber(wide.record, 48);
      directoryEnd = wide.position;
    }
  }
  const start = directoryEnd - centralBytes;
  const prefixBytes = start - declaredStart;
  if (start < 0 || prefixBytes < 0) throw damaged();
  return { entryCount, centralBytes, start, prefixBytes };
}

function findEnd64(
  file: ArchiveFile,
  tail: Buffer,
  at: number,
): { readonly record: Buffer; readonly position: number } | undefined {
  const locator = at - end64LocatorBytes;
  if (locator < 0 || tail.readUInt32LE(locator) !== end64LocatorSignature) return undefined;
  const locatorPosition = file.sizeBytes - tail.length + locator;
  const declared = readNumber(tail, locator + 8);
  // Usually right before the locator; the declared place is wrong where something was put before the archive.
  for (const position of [declared, locatorPosition - end64RecordBytes]) {
    if (position < 0 || position + end64RecordBytes > file.sizeBytes) continue;
    const record = file.readNow(position, end64RecordBytes);
    if (record.length === end64RecordBytes && record.readUInt32LE(0) === end64Signature) return { record, position };
  }
  throw damaged();
}

function readEntry(
  bytes: Buffer,
  at: number,
  prefixBytes: number,
): { readonly entry: ZipEntry; readonly length: number } {
  if (at + centralHeaderBytes > bytes.length || bytes.readUInt32LE(at) !== centralSignature) throw damaged();
  const nameBytes = bytes.readUInt16LE(at + 28);
  const extraBytes = bytes.readUInt16LE(at + 30);
  const length = centralHeaderBytes + nameBytes + extraBytes + bytes.readUInt16LE(at + 32);
  if (at + length > bytes.length) throw damaged();
  const nameStart = at + centralHeaderBytes;
  const name = pathText(bytes.subarray(nameStart, nameStart + nameBytes));
  const sizes = {
    sizeBytes: bytes.readUInt32LE(at + 24),
    compressedBytes: bytes.readUInt32LE(at + 20),
    offset: bytes.readUInt32LE(at + 42),
  };
  const extra = readExtra(bytes.subarray(nameStart + nameBytes, nameStart + nameBytes + extraBytes), sizes);
  const { kind, mode } = modeOf(bytes.readUInt16LE(at + 4) >> 8, bytes.readUInt32LE(at + 38), name.endsWith('/'));
  const entry: ZipEntry = {
    name,
    kind,
    mode,
    modifiedMs: extra.modifiedMs ?? dosTimeMs(bytes.readUInt32LE(at + 12)),
    uid: extra.uid,
    gid: extra.gid,
    flags: bytes.readUInt16LE(at + 8),
    method: bytes.readUInt16LE(at + 10),
    crc: bytes.readUInt32LE(at + 16),
    ...sizes,
    offset: sizes.offset + prefixBytes,
    nameBytes,
  };
  return { entry, length };
}

interface ExtraFields {
  modifiedMs?: number;
  uid?: number;
  gid?: number;
}

function readExtra(extra: Buffer, sizes: { sizeBytes: number; compressedBytes: number; offset: number }): ExtraFields {
  const fields: ExtraFields = {};
  for (let at = 0; at + 4 <= extra.length; ) {
    const id = extra.readUInt16LE(at);
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (end > extra.length) break;
    const body = extra.subarray(at + 4, end);
    if (id === extraZip64) readZip64(body, sizes);
    else if (id === extraTimestamp && body.length >= 5 && ((body[0] ?? 0) & 1) !== 0)
      fields.modifiedMs = body.readUInt32LE(1) * 1000;
    else if (id === extraUnixOwner) Object.assign(fields, readOwner(body));
    at = end;
  }
  return fields;
}

function readZip64(body: Buffer, sizes: { sizeBytes: number; compressedBytes: number; offset: number }): void {
  let at = 0;
  for (const key of ['sizeBytes', 'compressedBytes', 'offset'] as const) {
    if (sizes[key] !== limit32) continue;
    if (at + 8 > body.length) throw damaged();
    sizes[key] = readNumber(body, at);
    at += 8;
  }
}

/** Ids may be 1 to 8 bytes wide. */
function readOwner(body: Buffer): { readonly uid?: number; readonly gid?: number } {
  if (body[0] !== 1) return {};
  const uidBytes = body[1] ?? 0;
  const gidBytes = body[2 + uidBytes] ?? 0;
  if (uidBytes === 0 || gidBytes === 0 || 3 + uidBytes + gidBytes > body.length) return {};
  return { uid: readShort(body, 2, uidBytes), gid: readShort(body, 3 + uidBytes, gidBytes) };
}

function readShort(body: Buffer, at: number, width: number): number {
  // Ids beyond 32 bits do not exist; the upper bytes are zero.
  return body.readUIntLE(at, Math.min(4, width));
}

function readNumber(bytes: Buffer, at: number): number {
  const value = bytes.readBigUInt64LE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged();
  return Number(value);
}

const hostUnix = 3;
const hostDarwin = 19;

function modeOf(
  host: number,
  attributes: number,
  isDirectoryName: boolean,
): { readonly kind: EntryKind; readonly mode: number } {
  const unixMode = host === hostUnix || host === hostDarwin ? attributes >>> 16 : 0;
  if (unixMode === 0) {
    const isDirectory = isDirectoryName || (attributes & 0x10) !== 0;
    const mode = (isDirectory ? 0o777 : 0o666) & ((attributes & 0x01) === 0 ? 0o777 : 0o555);
    return { kind: isDirectory ? 'directory' : 'file', mode };
  }
  return { kind: isDirectoryName ? 'directory' : kindOfMode(unixMode), mode: unixMode };
}

function kindOfMode(mode: number): EntryKind {
  switch (mode & 0o170000) {
    case 0o100000:
    case 0:
      return 'file';
    case 0o040000:
      return 'directory';
    case 0o120000:
      return 'symlink';
    default:
      return 'special';
  }
}

/** As UTC: archives that carry no better time say no zone either. */
function dosTimeMs(value: number): number {
  const date = value >>> 16;
  const time = value & 0xffff;
  return Date.UTC(
    1980 + (date >> 9),
    ((date >> 5) & 0xf) - 1,
    date & 0x1f,
    time >> 11,
    (time >> 5) & 0x3f,
    (time & 0x1f) * 2,
  );
}
