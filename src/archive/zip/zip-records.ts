/** Numbers and layouts of the ZIP format, as far as archives of jobs use them. All integers are little endian. */
export const localSignature = 0x04034b50;
export const centralSignature = 0x02014b50;
export const descriptorSignature = 0x08074b50;
export const endSignature = 0x06054b50;
export const end64Signature = 0x06064b50;
export const end64LocatorSignature = 0x07064b50;

export const methodStore = 0;
export const methodDeflate = 8;
export const methodZstd = 93;

/** Version needed to extract; as the Go runner writes it, for every method. */
export const plainVersion = 20;
export const end64Version = 45;

export const flagEncrypted = 0x1;
/** CRC and sizes follow the data. */
export const flagDescriptor = 0x8;
export const flagUtf8 = 0x800;

export const localHeaderBytes = 30;
export const centralHeaderBytes = 46;
export const endRecordBytes = 22;
export const end64RecordBytes = 56;
export const end64LocatorBytes = 20;

export const extraZip64 = 0x0001;
export const extraTimestamp = 0x5455;
export const extraUnixOwner = 0x7875;

export const limit32 = 0xffffffff;
export const limit16 = 0xffff;

/** Sizes from here on are written as ZIP64 before the compressed size is known: it may be a little larger. */
export const zip64FromBytes = 0xf0000000;

export interface EntryHeader {
  readonly name: Buffer;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly compressedBytes: number;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly uid: number;
  readonly gid: number;
  /** Header and descriptor have 8-byte sizes. */
  readonly isZip64: boolean;
}

export function localHeader(entry: EntryHeader): Buffer {
  const hasDescriptor = (entry.flags & flagDescriptor) !== 0;
  // With a descriptor the sizes of the ZIP64 field are zero too: it only says how wide the descriptor's are.
  const zip64 = entry.isZip64
    ? zip64Extra(hasDescriptor ? [0, 0] : [entry.sizeBytes, entry.compressedBytes])
    : emptyBuffer;
  const extra = Buffer.concat([zip64, timestampExtra(entry.modifiedMs), ownerExtra(entry.uid, entry.gid)]);
  const header = Buffer.alloc(localHeaderBytes);
  header.writeUInt32LE(localSignature, 0);
  writeCommonFields(header, 4, entry);
  if (!hasDescriptor) header.writeUInt32LE(entry.crc, 14);
  header.writeUInt32LE(entry.isZip64 ? limit32 : hasDescriptor ? 0 : entry.compressedBytes, 18);
  header.writeUInt32LE(entry.isZip64 ? limit32 : hasDescriptor ? 0 : entry.sizeBytes, 22);
  header.writeUInt16LE(entry.name.length, 26);
  header.writeUInt16LE(extra.length, 28);
  return Buffer.concat([header, entry.name, extra]);
}

export function dataDescriptor(entry: Pick<EntryHeader, 'crc' | 'compressedBytes' | 'sizeBytes' | 'isZip64'>): Buffer {
  const record = Buffer.alloc(entry.isZip64 ? 24 : 16);
  record.writeUInt32LE(descriptorSignature, 0);
  record.writeUInt32LE(entry.crc, 4);
  if (entry.isZip64) {
    record.writeBigUInt64LE(BigInt(entry.compressedBytes), 8);
    record.writeBigUInt64LE(BigInt(entry.sizeBytes), 16);
  } else {
    record.writeUInt32LE(entry.compressedBytes, 8);
    record.writeUInt32LE(entry.sizeBytes, 12);
  }
  return record;
}

export function centralHeader(
  entry: EntryHeader,
  place: { readonly mode: number; readonly isDirectory: boolean; readonly offset: number },
): Buffer {
  const wide = [
    ...(entry.isZip64 ? [entry.sizeBytes, entry.compressedBytes] : []),
    ...(place.offset >= limit32 ? [place.offset] : []),
  ];
  const zip64 = wide.length > 0 ? zip64Extra(wide) : emptyBuffer;
  const extra = Buffer.concat([zip64, timestampExtra(entry.modifiedMs), ownerExtra(entry.uid, entry.gid)]);
  const header = Buffer.alloc(centralHeaderBytes);
  header.writeUInt32LE(centralSignature, 0);
  header.writeUInt16LE((3 << 8) | versionOf(wide.length > 0), 4);
  writeCommonFields(header, 6, entry);
  header.writeUInt16LE(versionOf(wide.length > 0), 6);
  header.writeUInt32LE(entry.crc, 16);
  header.writeUInt32LE(entry.isZip64 ? limit32 : entry.compressedBytes, 20);
  header.writeUInt32LE(entry.isZip64 ? limit32 : entry.sizeBytes, 24);
  header.writeUInt16LE(entry.name.length, 28);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt32LE(externalAttributes(place.mode, place.isDirectory), 38);
  header.writeUInt32LE(Math.min(place.offset, limit32), 42);
  return Buffer.concat([header, entry.name, extra]);
}

/** What closes an archive: the ZIP64 records where a number needs them, and the end record. */
export function endRecords(entryCount: number, centralOffset: number, centralBytes: number): Buffer {
  const end = Buffer.alloc(endRecordBytes);
  end.writeUInt32LE(endSignature, 0);
  end.writeUInt16LE(Math.min(entryCount, limit16), 8);
  end.writeUInt16LE(Math.min(entryCount, limit16), 10);
  end.writeUInt32LE(Math.min(centralBytes, limit32), 12);
  end.writeUInt32LE(Math.min(centralOffset, limit32), 16);
  if (entryCount < limit16 && centralOffset < limit32 && centralBytes < limit32) return end;
  const record = Buffer.alloc(end64RecordBytes);
  record.writeUInt32LE(end64Signature, 0);
  record.writeBigUInt64LE(BigInt(end64RecordBytes - 12), 4);
  record.writeUInt16LE((3 << 8) | end64Version, 12);
  record.writeUInt16LE(end64Version, 14);
  record.writeBigUInt64LE(BigInt(entryCount), 24);
  record.writeBigUInt64LE(BigInt(entryCount), 32);
  record.writeBigUInt64LE(BigInt(centralBytes), 40);
  record.writeBigUInt64LE(BigInt(centralOffset), 48);
  const locator = Buffer.alloc(end64LocatorBytes);
  locator.writeUInt32LE(end64LocatorSignature, 0);
  locator.writeBigUInt64LE(BigInt(centralOffset + centralBytes), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([record, locator, end]);
}

const emptyBuffer = Buffer.alloc(0);

/** Version needed, flags, method, time: the same in both headers. */
function writeCommonFields(header: Buffer, offset: number, entry: EntryHeader): void {
  header.writeUInt16LE(versionOf(entry.isZip64), offset);
  header.writeUInt16LE(entry.flags, offset + 2);
  header.writeUInt16LE(entry.method, offset + 4);
  header.writeUInt32LE(dosTime(entry.modifiedMs), offset + 6);
}

function versionOf(isZip64: boolean): number {
  return isZip64 ? end64Version : plainVersion;
}

/** Unix mode and DOS attributes. */
export function externalAttributes(mode: number, isDirectory: boolean): number {
  const dos = (isDirectory ? 0x10 : 0) | ((mode & 0o200) === 0 ? 0x01 : 0);
  return (((mode & 0xffff) << 16) | dos) >>> 0;
}

/** In UTC, so that equal trees give equal archives everywhere; readers take the timestamp field. */
export function dosTime(modifiedMs: number): number {
  const time = new Date(modifiedMs);
  const year = time.getUTCFullYear();
  if (!(year >= 1980)) return (1 << 21) | (1 << 16);
  const date = ((Math.min(year, 2107) - 1980) << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate();
  const clock = (time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1);
  return ((date << 16) | clock) >>> 0;
}

function zip64Extra(values: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + values.length * 8);
  extra.writeUInt16LE(extraZip64, 0);
  extra.writeUInt16LE(values.length * 8, 2);
  for (const [index, value] of values.entries()) extra.writeBigUInt64LE(BigInt(value), 4 + index * 8);
  return extra;
}

function timestampExtra(modifiedMs: number): Buffer {
  const extra = Buffer.alloc(9);
  extra.writeUInt16LE(extraTimestamp, 0);
  extra.writeUInt16LE(5, 2);
  extra.writeUInt8(1, 4);
  extra.writeUInt32LE(Math.min(limit32, Math.max(0, Math.floor(modifiedMs / 1000))), 5);
  return extra;
}

function ownerExtra(uid: number, gid: number): Buffer {
  const extra = Buffer.alloc(15);
  extra.writeUInt16LE(extraUnixOwner, 0);
  extra.writeUInt16LE(11, 2);
  extra.writeUInt8(1, 4);
  extra.writeUInt8(4, 5);
  extra.writeUInt32LE(uid, 6);
  extra.writeUInt8(4, 10);
  extra.writeUInt32LE(gid, 11);
  return extra;
}
