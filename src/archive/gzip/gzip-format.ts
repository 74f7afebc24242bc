import { posix } from 'node:path';
import { crc32 } from 'node:zlib';
import { ArchiveError } from '../archive-error.ts';
import type { ArchiveFormat, WriteRequest } from '../archive-format.ts';
import { pathBytes } from '../archive-path.ts';
import { BlockBuffer } from '../stream/blocks.ts';
import { packingWindow } from '../stream/deflate-chunk.ts';
import { openSource, releaseChunk, type SourceFile } from '../stream/file-chunks.ts';
import { inOrder, type Step } from '../stream/in-order.ts';

/** One member a file, one after the other, for reports (spec cache-artifacts.md §3.6). Never unpacked. */
export const gzipFormat: ArchiveFormat = { name: 'gzip', fileExtension: '.gz', write: writeGzip };

/** The level of the gzip format does not depend on the settings. */
const gzipLevel = 6;

interface Member {
  crc: number;
  sizeBytes: number;
}

async function* writeGzip(request: WriteRequest, signal: AbortSignal): AsyncGenerator<Buffer> {
  const irregular = request.entries.find(({ facts }) => facts.kind !== 'file');
  if (irregular !== undefined) throw new ArchiveError(`the "${irregular.path}" is not a regular file`);
  const blocks = new BlockBuffer();
  for await (const emit of inOrder(gzipSteps(request), packingWindow(request.concurrency), signal)) {
    blocks.add(emit());
    yield* blocks.takeFull();
  }
  yield* blocks.takeAll();
}

/** Each step gives what to emit when its turn comes. */
type Emit = () => Buffer;

function* gzipSteps(request: WriteRequest): Generator<Step<Emit>> {
  for (const { path } of request.entries) {
    const source = openSource(request.root, path, request.problem);
    if (source !== undefined) yield* memberSteps(path, source);
  }
}

function* memberSteps(path: string, source: SourceFile): Generator<Step<Emit>> {
  const member: Member = { crc: 0, sizeBytes: 0 };
  const pack = async (index: number): Promise<Emit> => {
    const chunk = await source.packChunk(index, gzipLevel);
    return () => {
      if (chunk.raw.length > 0) member.crc = crc32(chunk.raw, member.crc);
      member.sizeBytes += chunk.raw.length;
      releaseChunk(chunk);
      return chunk.packed;
    };
  };
  let isHandedOut = false;
  try {
    yield { run: () => () => memberHeader(path, source.opened.facts.modifiedMs), weight: 0 };
    for (let index = 0; index < source.chunkCount; index += 1) {
      yield { run: () => pack(index), weight: source.weight };
    }
    isHandedOut = true;
    yield { run: () => () => memberTrailer(member), weight: 0 };
  } finally {
    if (!isHandedOut) source.close();
  }
}

const flagName = 0x08;
const flagComment = 0x10;

function memberHeader(path: string, modifiedMs: number): Buffer {
  const header = Buffer.from([0x1f, 0x8b, 8, flagName | flagComment, 0, 0, 0, 0, 0, 0xff]);
  header.writeUInt32LE(Math.min(0xffffffff, Math.max(0, Math.floor(modifiedMs / 1000))), 4);
  return Buffer.concat([header, headerText(posix.basename(path)), headerText(path)]);
}

/** Header texts are Latin-1 and end with zero: what is not plain ASCII is escaped and marked with `e:`. */
function headerText(text: string): Buffer {
  const bytes = pathBytes(text);
  const isPlain = bytes.every((byte) => byte > 0 && byte < 0x80 && byte !== 0x25);
  return Buffer.from(`${isPlain ? text : `e:${escapeBytes(bytes)}`}\0`, 'latin1');
}

const kept = /[A-Za-z0-9\-_.~$&+:=@]/;

function escapeBytes(bytes: Buffer): string {
  let text = '';
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    text += kept.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

function memberTrailer(member: Member): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(member.crc, 0);
  trailer.writeUInt32LE(member.sizeBytes % 2 ** 32, 4);
  return trailer;
}
