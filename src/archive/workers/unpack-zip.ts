import { crc32 } from 'node:zlib';
import { errorMessage } from '../../lib/errors.ts';
import { readIntoAt, writeNewFile } from '../../platform/batch-files.ts';
import { ArchiveError } from '../archive-error.ts';
import { pathBelow } from '../archive-path.ts';
import { localHeaderBytes, localSignature, methodStore, methodZstd } from '../zip/zip-records.ts';
import { decodeFile, type PackedFile, type UnpackZipTask } from './tasks.ts';
import type { WorkingSet } from './working-set.ts';

/** Read at once; less where the batch ends. */
const windowBytes = 1024 * 1024;

/** Creates small files of an archive. @throws ArchiveError naming the first that is damaged or cannot be written. */
export function unpackZip(task: UnpackZipTask, set: WorkingSet): void {
  const reader = new WindowReader(task, set);
  for (const [index, path] of task.paths.entries()) {
    const file = decodeFile(task.numbers, index);
    const content = unpackContent(path, file, reader, set);
    try {
      writeNewFile(pathBelow(task.root, path), content, file, task.writing);
    } catch (error) {
      throw new ArchiveError(`cannot extract "${path}": ${errorMessage(error)}`, { cause: error });
    }
  }
}

function unpackContent(path: string, file: PackedFile, reader: WindowReader, set: WorkingSet): Buffer {
  const packed = reader.packedData(path, file);
  const content = file.method === methodStore ? packed : set.scratch(file.sizeBytes).subarray(0, file.sizeBytes);
  if (file.method !== methodStore && !decompresses(path, packed, content, file, set)) throw wrongContent(path);
  const crc = content.length === 0 ? 0 : crc32(content);
  if (content.length !== file.sizeBytes || crc !== file.crc) throw wrongContent(path);
  return content;
}

function decompresses(path: string, packed: Buffer, content: Buffer, file: PackedFile, set: WorkingSet): boolean {
  try {
    return set.decompressor(file.method === methodZstd ? 'zstd' : 'deflate').decompress(packed, content);
  } catch (error) {
    throw new ArchiveError(`"${path}" is damaged in the archive`, { cause: error });
  }
}

function wrongContent(path: string): ArchiveError {
  return new ArchiveError(`zip: checksum error: "${path}" does not unpack to what the archive says`);
}

/** The batch's part of the archive, read in large steps. */
class WindowReader {
  readonly #task: UnpackZipTask;
  readonly #set: WorkingSet;
  #window: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(task: UnpackZipTask, set: WorkingSet) {
    this.#task = task;
    this.#set = set;
  }

  packedData(path: string, { offset, compressedBytes }: PackedFile): Buffer {
    const header = this.#bytes(offset, localHeaderBytes);
    if (header?.readUInt32LE(0) !== localSignature) throw misplaced(path);
    const start = offset + localHeaderBytes + header.readUInt16LE(26) + header.readUInt16LE(28);
    const data = this.#bytes(start, compressedBytes);
    if (data === undefined) throw misplaced(path);
    return data;
  }

  #bytes(position: number, length: number): Buffer | undefined {
    const offset = position - this.#start;
    if (offset >= 0 && offset + length <= this.#window.length) return this.#window.subarray(offset, offset + length);
    const wanted = Math.max(length, Math.min(windowBytes, this.#task.end - position));
    const buffer = this.#set.packed(wanted);
    const count = readIntoAt(this.#task.descriptor, buffer, wanted, position);
    this.#window = buffer.subarray(0, count);
    this.#start = position;
    return count < length ? undefined : this.#window.subarray(0, length);
  }
}

function misplaced(path: string): ArchiveError {
  return new ArchiveError(`zip: not a valid zip file: "${path}" is not where the archive says`);
}
