import { isAscii, isUtf8 } from 'node:buffer';
import type { EntryFacts } from '../../platform/file-tree.ts';
import { pathBytes } from '../archive-path.ts';
import {
  centralHeaderBytes,
  centralSignature,
  dosTime,
  end64Version,
  externalAttributes,
  extraTimestamp,
  extraUnixOwner,
  extraZip64,
  flagUtf8,
  limit32,
  localHeaderBytes,
  localSignature,
  plainVersion,
} from './zip-records.ts';

/** Timestamp and owner, as both headers have them. */
const extraBytes = 24;

/** An entry whose sizes are known and below 4 GiB. */
export interface PlainEntry {
  readonly name: Buffer;
  readonly facts: EntryFacts;
  readonly method: number;
  readonly crc: number;
  readonly sizeBytes: number;
  readonly compressedBytes: number;
}

/** How an entry is called in the archive: directories end in `/`. */
export function zipName(path: string, isDirectory: boolean): Buffer {
  return pathBytes(isDirectory ? `${path}/` : path);
}

export function plainLocalBytes(name: Buffer): number {
  return localHeaderBytes + name.length + extraBytes;
}

export function plainCentralBytes(name: Buffer): number {
  return centralHeaderBytes + name.length + extraBytes;
}

/** Writes an entry's local header. */
export function writePlainLocal(out: Buffer, at: number, entry: PlainEntry): void {
  out.writeUInt32LE(localSignature, at);
  writeCommon(out, at + 4, entry);
  entry.name.copy(out, at + localHeaderBytes);
  writeExtra(out, at + localHeaderBytes + entry.name.length, entry.facts);
}

/** Writes an entry's record of the central directory. */
export function writePlainCentral(out: Buffer, at: number, entry: PlainEntry, offset: number): void {
  out.writeUInt32LE(centralSignature, at);
  out.writeUInt16LE((3 << 8) | plainVersion, at + 4);
  writeCommon(out, at + 6, entry);
  // Comment, disk and internal attributes.
  out.writeUInt32LE(0, at + 32);
  out.writeUInt16LE(0, at + 36);
  out.writeUInt32LE(externalAttributes(entry.facts.mode, entry.facts.kind === 'directory'), at + 38);
  out.writeUInt32LE(offset, at + 42);
  entry.name.copy(out, at + centralHeaderBytes);
  writeExtra(out, at + centralHeaderBytes + entry.name.length, entry.facts);
}

/**
 * Moves the records of a batch to where the batch came to lie. In place, but for offsets that need 8 bytes.
 * @returns the records, of which the caller may keep what it gave.
 */
export function relocateCentral(records: Buffer, base: number): Buffer {
  const wide: Buffer[] = [];
  let isWide = false;
  for (let at = 0; at < records.length; ) {
    const nameBytes = records.readUInt16LE(at + 28);
    const length = centralHeaderBytes + nameBytes + records.readUInt16LE(at + 30);
    const offset = records.readUInt32LE(at + 42) + base;
    if (offset < limit32) {
      records.writeUInt32LE(offset, at + 42);
      wide.push(records.subarray(at, at + length));
    } else {
      isWide = true;
      wide.push(widened(records.subarray(at, at + length), nameBytes, offset));
    }
    at += length;
  }
  return isWide ? Buffer.concat(wide) : records;
}

function widened(record: Buffer, nameBytes: number, offset: number): Buffer {
  const nameEnd = centralHeaderBytes + nameBytes;
  const head = Buffer.from(record.subarray(0, nameEnd));
  head.writeUInt16LE((3 << 8) | end64Version, 4);
  head.writeUInt16LE(end64Version, 6);
  head.writeUInt16LE(record.readUInt16LE(30) + 12, 30);
  head.writeUInt32LE(limit32, 42);
  const extra = Buffer.alloc(12);
  extra.writeUInt16LE(extraZip64, 0);
  extra.writeUInt16LE(8, 2);
  extra.writeBigUInt64LE(BigInt(offset), 4);
  return Buffer.concat([head, extra, record.subarray(nameEnd)]);
}

/** Version needed to lengths of name and extra: the same in both headers. */
function writeCommon(out: Buffer, at: number, entry: PlainEntry): void {
  out.writeUInt16LE(plainVersion, at);
  out.writeUInt16LE(nameFlags(entry.name), at + 2);
  out.writeUInt16LE(entry.method, at + 4);
  out.writeUInt32LE(dosTime(entry.facts.modifiedMs), at + 6);
  out.writeUInt32LE(entry.crc, at + 10);
  out.writeUInt32LE(entry.compressedBytes, at + 14);
  out.writeUInt32LE(entry.sizeBytes, at + 18);
  out.writeUInt16LE(entry.name.length, at + 22);
  out.writeUInt16LE(extraBytes, at + 24);
}

export function nameFlags(name: Buffer): number {
  return !isAscii(name) && isUtf8(name) ? flagUtf8 : 0;
}

function writeExtra(out: Buffer, at: number, facts: EntryFacts): void {
  out.writeUInt32LE((5 << 16) | extraTimestamp, at);
  out.writeUInt8(1, at + 4);
  out.writeUInt32LE(clampedId(Math.floor(facts.modifiedMs / 1000)), at + 5);
  out.writeUInt32LE((11 << 16) | extraUnixOwner, at + 9);
  out.writeUInt16LE(0x0401, at + 13);
  out.writeUInt32LE(clampedId(facts.uid), at + 15);
  out.writeUInt8(4, at + 19);
  out.writeUInt32LE(clampedId(facts.gid), at + 20);
}

function clampedId(value: number): number {
  return Math.min(limit32, Math.max(0, value));
}
