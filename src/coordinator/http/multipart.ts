/** A step in reading a multipart body. */
export type MultipartEvent =
  | { readonly type: 'part'; readonly headers: ReadonlyMap<string, string> }
  /** Bytes of the current part. */
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  /** The closing boundary was read. */
  | { readonly type: 'end' };

/** The body is not what its boundary promises. */
export class MultipartError extends Error {}

const maxPartHeaderBytes = 16 * 1024;
const lineEnd = Buffer.from('\r\n');
const headerEnd = Buffer.from('\r\n\r\n');

/** The boundary of a `multipart/form-data` content type; undefined for any other. */
export function multipartBoundary(contentType: string): string | undefined {
  if (!/^multipart\/form-data\s*(;|$)/i.test(contentType)) return undefined;
  const match = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2];
  return boundary === undefined || boundary.length > 200 ? undefined : boundary;
}

/**
 * Reads a multipart body as it comes, however it is cut into chunks; holds back no more than a boundary's length.
 * A body that ends before its closing boundary is an error: an upload cut short must not pass for a whole one.
 * @throws MultipartError
 */
export async function* readMultipart(
  chunks: AsyncIterable<Uint8Array>,
  boundary: string,
): AsyncGenerator<MultipartEvent> {
  const reader = new MultipartReader(boundary);
  for await (const chunk of chunks) {
    reader.push(chunk);
    for (let event = reader.next(); event !== undefined; event = reader.next()) yield event;
  }
  if (!reader.isOver) throw new MultipartError('the body ends before its closing boundary');
}

class MultipartReader {
  /** `boundary` = before a boundary's line end, `headers` of a part, `data` of a part, `over` after the last. */
  #state: 'preamble' | 'boundary' | 'headers' | 'data' | 'over' = 'preamble';
  /** A line end in front makes the first boundary look like every other. */
  #rest: Buffer = lineEnd;
  readonly #delimiter: Buffer;

  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  push(chunk: Uint8Array): void {
    this.#rest = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
  }

  /** @returns undefined when more bytes are needed. */
  next(): MultipartEvent | undefined {
    switch (this.#state) {
      case 'preamble':
        return this.#skipPreamble();
      case 'boundary':
        return this.#afterBoundary();
      case 'headers':
        return this.#readHeaders();
      case 'data':
        return this.#readData();
      case 'over':
        this.#rest = Buffer.alloc(0);
        return undefined;
    }
  }

  #skipPreamble(): MultipartEvent | undefined {
    const at = this.#rest.indexOf(this.#delimiter);
    if (at < 0) {
      this.#keepTail(this.#delimiter.length - 1);
      return undefined;
    }
    this.#rest = this.#rest.subarray(at + this.#delimiter.length);
    this.#state = 'boundary';
    return this.#afterBoundary();
  }

  #afterBoundary(): MultipartEvent | undefined {
    if (this.#rest.length < 2) return undefined;
    if (this.#rest.subarray(0, 2).toString('latin1') === '--') {
      this.#state = 'over';
      return { type: 'end' };
    }
    const at = this.#rest.indexOf(lineEnd);
    if (at < 0) {
      this.#refuseIfLong('boundary line');
      return undefined;
    }
    if (this.#rest.subarray(0, at).toString('latin1').trim() !== '') {
      throw new MultipartError('there is text behind a boundary');
    }
    // The line end stays: a part without headers then ends its header block at once.
    this.#rest = this.#rest.subarray(at);
    this.#state = 'headers';
    return this.#readHeaders();
  }

  #readHeaders(): MultipartEvent | undefined {
    const at = this.#rest.indexOf(headerEnd);
    if (at < 0) {
      this.#refuseIfLong('header block');
      return undefined;
    }
    const text = this.#rest.subarray(lineEnd.length, Math.max(at, lineEnd.length)).toString('utf8');
    this.#rest = this.#rest.subarray(at + headerEnd.length - lineEnd.length);
    // The line end before the content stays in front, so that an empty part's boundary is found.
    this.#state = 'data';
    this.#isFirstData = true;
    return { type: 'part', headers: parseHeaders(text) };
  }

  #isFirstData = false;

  #readData(): MultipartEvent | undefined {
    const at = this.#rest.indexOf(this.#delimiter);
    if (at >= 0) {
      const bytes = this.#content(at);
      this.#rest = this.#rest.subarray(at + this.#delimiter.length);
      this.#state = 'boundary';
      return bytes.length > 0 ? { type: 'data', bytes } : this.#afterBoundary();
    }
    const safe = this.#rest.length - (this.#delimiter.length - 1);
    if (safe <= lineEnd.length) return undefined;
    const bytes = this.#content(safe);
    this.#rest = this.#rest.subarray(safe);
    return { type: 'data', bytes };
  }

  /** Content up to `end`, without the line end that closes the headers. */
  #content(end: number): Buffer {
    const start = this.#isFirstData ? lineEnd.length : 0;
    this.#isFirstData = false;
    return this.#rest.subarray(Math.min(start, end), end);
  }

  #keepTail(length: number): void {
    if (this.#rest.length > length) this.#rest = this.#rest.subarray(this.#rest.length - length);
  }

  #refuseIfLong(what: string): void {
    if (this.#rest.length > maxPartHeaderBytes) throw new MultipartError(`the ${what} of a part is too long`);
  }
}

function parseHeaders(text: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}

/** Field and file name of a part's `Content-Disposition`; names are cut to their last path segment. */
export function dispositionOf(headers: ReadonlyMap<string, string>): {
  readonly field: string;
  readonly filename: string | undefined;
} {
  const value = headers.get('content-disposition') ?? '';
  const filename = parameter(value, 'filename');
  return { field: parameter(value, 'name') ?? '', filename: filename?.split(/[/\\]/).at(-1) };
}

function parameter(value: string, name: string): string | undefined {
  const match = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]+))`, 'i').exec(value);
  return match?.[1]?.replaceAll(/\\(.)/g, '$1') ?? match?.[2];
}
