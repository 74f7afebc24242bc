import { ArchiveError } from '../archive-error.ts';
import {
  blockBytes,
  damagedTar,
  paddingOf,
  type RawTarHeader,
  readPaxRecords,
  readTarHeader,
  shownName,
  type TarHeader,
  type TarKind,
} from './tar-header.ts';

/** Gets what an archive holds, in its order. What it throws ends the reading. */
export interface TarVisitor {
  /** An entry starts; content follows where it is a file. */
  entry(header: TarHeader): void;
  /** A part of the last entry's content, which is good only during the call. */
  content(part: Buffer): void;
  /** The last entry is whole. */
  end(): void;
}

/** Longest names and records; more has no honest use. */
const largestMetaBytes = 1024 * 1024;

const kinds: Readonly<Record<string, TarKind>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'hardLink',
  '2': 'symlink',
  '3': 'special',
  '4': 'special',
  '5': 'directory',
  '6': 'special',
};

/** Reads tar data (USTAR, PAX, GNU long names) that comes in pieces of any size. */
export class TarParser {
  readonly #visitor: TarVisitor;
  /** A header block that is not whole yet. */
  #block: Buffer = Buffer.alloc(0);
  #remaining = 0;
  #padding = 0;
  /** The open entry: a visitor's, or a header of headers whose body is gathered. */
  #open: 'none' | 'entry' | 'skipped' | 'meta' = 'none';
  #metaType = '';
  #meta: Buffer[] = [];
  #global: ReadonlyMap<string, Buffer> = new Map();
  #local = new Map<string, Buffer>();
  #isEnded = false;

  constructor(visitor: TarVisitor) {
    this.#visitor = visitor;
  }

  /** Whether the end of the archive was seen: what follows means nothing. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** @throws ArchiveError for damaged data; what the visitor throws. */
  push(piece: Buffer): void {
    for (let at = 0; at < piece.length && !this.#isEnded; ) {
      if (this.#remaining > 0) at += this.#takeContent(piece.subarray(at, at + this.#remaining));
      else if (this.#padding > 0) {
        const count = Math.min(this.#padding, piece.length - at);
        this.#padding -= count;
        at += count;
      } else {
        const part = piece.subarray(at, at + blockBytes - this.#block.length);
        at += part.length;
        this.#block = this.#block.length === 0 ? part : Buffer.concat([this.#block, part]);
        if (this.#block.length === blockBytes) this.#readBlock();
        else this.#block = Buffer.from(this.#block);
      }
    }
  }

  /** All data was pushed. @throws ArchiveError where it ends in the middle. */
  finish(): void {
    if (this.#isEnded) return;
    if (this.#remaining > 0 || this.#block.length > 0 || this.#open === 'meta') throw damagedTar('it is cut off');
  }

  #takeContent(part: Buffer): number {
    this.#remaining -= part.length;
    if (this.#open === 'meta') this.#meta.push(Buffer.from(part));
    else if (this.#open === 'entry') this.#visitor.content(part);
    if (this.#remaining === 0) this.#close();
    return part.length;
  }

  #close(): void {
    const open = this.#open;
    this.#open = 'none';
    if (open === 'entry') this.#visitor.end();
    if (open !== 'meta') return;
    const body = Buffer.concat(this.#meta);
    this.#meta = [];
    if (this.#metaType === 'g') this.#global = readPaxRecords(body);
    else if (this.#metaType === 'x') for (const [key, value] of readPaxRecords(body)) this.#local.set(key, value);
    else this.#local.set(this.#metaType === 'L' ? 'path' : 'linkpath', withoutZeros(body));
  }

  #readBlock(): void {
    const raw = readTarHeader(this.#block);
    this.#block = Buffer.alloc(0);
    if (raw === undefined) {
      this.#isEnded = true;
      return;
    }
    if ('xgLK'.includes(raw.type)) this.#startMeta(raw);
    else this.#startEntry(raw);
  }

  #startMeta({ type, sizeBytes }: RawTarHeader): void {
    if (sizeBytes < 0 || sizeBytes > largestMetaBytes) throw damagedTar('a header is too long');
    this.#metaType = type;
    this.#expect('meta', sizeBytes);
  }

  #startEntry(raw: RawTarHeader): void {
    const records = new Map([...this.#global, ...this.#local]);
    this.#local = new Map();
    const name = records.get('path') ?? raw.name;
    const kind = kinds[raw.type];
    if (kind === undefined || [...records.keys()].some((key) => key.startsWith('GNU.sparse.'))) {
      throw new ArchiveError(`"${shownName(name)}" is of a kind (${JSON.stringify(raw.type)}) that is not supported`);
    }
    const sizeBytes = numberOf(records, 'size') ?? raw.sizeBytes;
    if (!(sizeBytes >= 0)) throw damagedTar(`"${shownName(name)}" has an impossible size`);
    const seconds = numberOf(records, 'mtime');
    const header: TarHeader = {
      name,
      kind: kind === 'file' && name.at(-1) === 0x2f ? 'directory' : kind,
      mode: raw.mode,
      uid: numberOf(records, 'uid') ?? raw.uid,
      gid: numberOf(records, 'gid') ?? raw.gid,
      sizeBytes,
      modifiedMs: seconds === undefined ? raw.modifiedMs : seconds * 1000,
      linkName: records.get('linkpath') ?? raw.linkName,
    };
    this.#visitor.entry(header);
    this.#expect(header.kind === 'file' ? 'entry' : 'skipped', header.kind === 'hardLink' ? 0 : sizeBytes);
  }

  #expect(open: 'entry' | 'skipped' | 'meta', sizeBytes: number): void {
    this.#open = open;
    this.#remaining = sizeBytes;
    this.#padding = paddingOf(sizeBytes);
    if (sizeBytes === 0) this.#close();
  }
}

function numberOf(records: ReadonlyMap<string, Buffer>, key: string): number | undefined {
  const text = records.get(key)?.toString('latin1');
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!/^-?\d+(\.\d*)?$/.test(text) || Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    throw damagedTar(`a PAX header has no number for ${key}`);
  }
  return value;
}

function withoutZeros(body: Buffer): Buffer {
  const end = body.indexOf(0);
  return end < 0 ? body : body.subarray(0, end);
}
