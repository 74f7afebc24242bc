import type { Transform } from 'node:stream';
import {
  constants,
  createDeflateRaw,
  createInflateRaw,
  createZstdCompress,
  createZstdDecompress,
  deflateRawSync,
  inflateRawSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib';

/** How content is compressed; `checkedZstd` has a checksum of its own. */
export type CodecName = 'deflate' | 'zstd' | 'checkedZstd';

/** One compression context, used for one small input after the other. */
export interface Compressor {
  /** Compresses into `output` from a position on, where `roomFor` the input is. @returns how many bytes it took. */
  compress(input: Buffer, output: Buffer, at: number): number;
}

/** What compressed content may need at most, whatever the codec. */
export function roomFor(bytes: number): number {
  return bytes + (bytes >> 7) + 1024;
}

/** One decompression context. */
export interface Decompressor {
  /** @returns whether the input unpacks to exactly as many bytes as `output` has. */
  decompress(input: Buffer, output: Buffer): boolean;
}

/** What both of Node's engines have behind their streams: the same calls, without a stream object for each input. */
interface Engine {
  readonly handle: {
    writeSync(flush: number, input: Buffer, at: number, length: number, output: Buffer, to: number, room: number): void;
    reset(): void;
  };
  /** Room left in the output, and input left, after each call. */
  readonly state: Uint32Array;
}

function zstdParameters(level: number, isChecked: boolean): Record<number, number> {
  return { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: isChecked ? 1 : 0 };
}

/** Equal input gives equal output, in every context and for every order of inputs. */
export function createCompressor(codec: CodecName, level: number): Compressor {
  const isZstd = codec !== 'deflate';
  const params = zstdParameters(level, codec === 'checkedZstd');
  const stream = isZstd ? createZstdCompress({ params }) : createDeflateRaw({ level });
  const flush = isZstd ? constants.ZSTD_e_end : constants.Z_FINISH;
  const engine = engineOf(stream);
  if (engine === undefined) return isZstd ? simpleZstd(params) : simpleDeflate(level);
  return {
    compress: (input, output, at) => {
      const room = output.length - at;
      // zstd starts anew after each frame; its reset would forget the level.
      if (!isZstd) engine.handle.reset();
      engine.handle.writeSync(flush, input, 0, input.length, output, at, room);
      const [left = 0, unread = 0] = engine.state;
      // A full output may hide more to come.
      if (stream.destroyed || unread > 0 || left === 0) throw new Error(`${codec} needs more room than it can`);
      return room - left;
    },
  };
}

export function createDecompressor(codec: CodecName): Decompressor {
  const isZstd = codec !== 'deflate';
  const simple = isZstd ? simpleUnzstd : simpleInflate;
  const stream = isZstd ? createZstdDecompress() : createInflateRaw();
  const flush = isZstd ? constants.ZSTD_e_end : constants.Z_FINISH;
  const engine = engineOf(stream);
  if (engine === undefined) return simple;
  let isSpoilt = false;
  return {
    decompress: (input, output) => {
      // An error is the end of the context.
      if (isSpoilt || stream.destroyed || output.length === 0) return simple.decompress(input, output);
      if (!isZstd) engine.handle.reset();
      engine.handle.writeSync(flush, input, 0, input.length, output, 0, output.length);
      const [left = 0, unread = 0] = engine.state;
      // Anything but a plain fit (several frames, damage, more than was said) is judged by the plain call.
      const isPlain = left === 0 && unread === 0 && !stream.destroyed;
      // zstd may stand in the middle of a frame.
      isSpoilt = isZstd && !isPlain;
      return isPlain || simple.decompress(input, output);
    },
  };
}

/** Undefined where this Node has not what it takes; the plain calls do the same, only slower for small inputs. */
function engineOf(stream: Transform): Engine | undefined {
  // Without a listener the error of a damaged input would end the process.
  stream.on('error', () => {});
  const { _handle: handle, _writeState: state } = stream as unknown as {
    readonly _handle?: Partial<Engine['handle']>;
    readonly _writeState?: unknown;
  };
  if (typeof handle?.writeSync !== 'function' || typeof handle.reset !== 'function') return undefined;
  return state instanceof Uint32Array ? { handle: handle as Engine['handle'], state } : undefined;
}

function simpleZstd(params: Record<number, number>): Compressor {
  return {
    compress: (input, output, at) =>
      place(zstdCompressSync(input, { params, pledgedSrcSize: input.length }), output, at),
  };
}

function simpleDeflate(level: number): Compressor {
  return { compress: (input, output, at) => place(deflateRawSync(input, { level }), output, at) };
}

function place(result: Buffer, output: Buffer, at: number): number {
  result.copy(output, at);
  return result.length;
}

const simpleInflate: Decompressor = {
  decompress: (input, output) => fill(output, (options) => inflateRawSync(input, options)),
};

const simpleUnzstd: Decompressor = {
  decompress: (input, output) => fill(output, (options) => zstdDecompressSync(input, options)),
};

function fill(
  output: Buffer,
  unpack: (options: { readonly maxOutputLength: number; readonly chunkSize: number }) => Buffer,
): boolean {
  const content = unpack({
    maxOutputLength: Math.max(1, output.length),
    chunkSize: Math.max(1024, output.length + 64),
  });
  content.copy(output);
  return content.length === output.length;
}
