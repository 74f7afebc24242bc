import { crc32, deflateRawSync } from 'node:zlib';

/** An entry of a hand-made archive; what is not given is what an honest archive would have. */
export interface BuiltEntry {
  readonly name: string | Buffer;
  readonly content?: string | Buffer;
  /** With type bits. Default: a regular file, 0644. */
  readonly mode?: number;
  readonly deflate?: boolean;
  readonly declaredSize?: number;
  readonly declaredCrc?: number;
  readonly method?: number;
  readonly flags?: number;
  readonly extra?: Buffer;
  /** Points at the data of an earlier entry instead of having its own. */
  readonly sharesOffsetOf?: number;
  /** Host system that made it: 3 = Unix, 0 = DOS. */
  readonly host?: number;
}

/** Builds ZIP archives byte by byte, honest or hostile. Independent of the product's own writer. */
export function buildZip(
  entries: readonly BuiltEntry[],
  options: { readonly prefix?: Buffer; readonly comment?: string } = {},
): Buffer {
  const prefix = options.prefix ?? Buffer.alloc(0);
  const parts: Buffer[] = [prefix];
  const central: Buffer[] = [];
  const offsets: number[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const raw = Buffer.from(entry.content ?? '');
    const data = entry.deflate === true ? deflateRawSync(raw) : raw;
    const method = entry.method ?? (entry.deflate === true ? 8 : 0);
    const extra = entry.extra ?? Buffer.alloc(0);
    const crc = entry.declaredCrc ?? crc32(raw);
    const size = entry.declaredSize ?? raw.length;
    const at = entry.sharesOffsetOf === undefined ? offset : (offsets[entry.sharesOffsetOf] ?? 0);
    offsets.push(at);
    const common = Buffer.alloc(22);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(entry.flags ?? 0, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(0x58210000, 6);
    common.writeUInt32LE(crc, 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(size, 18);
    const lengths = Buffer.alloc(4);
    lengths.writeUInt16LE(name.length, 0);
    lengths.writeUInt16LE(extra.length, 2);
    if (entry.sharesOffsetOf === undefined) {
      const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, lengths, name, extra, data]);
      parts.push(local);
      offset += local.length;
    }
    const head = Buffer.from('PK\x01\x02\x14\x00', 'latin1');
    head.writeUInt8(entry.host ?? 3, 5);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((((entry.mode ?? 0o100644) & 0xffff) << 16) >>> 0, 6);
    tail.writeUInt32LE(at, 10);
    central.push(Buffer.concat([head, common, lengths, tail, name, extra]));
  }
  const directory = Buffer.concat(central);
  const comment = Buffer.from(options.comment ?? '');
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, directory, end, comment]);
}
