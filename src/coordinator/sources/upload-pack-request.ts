/** What a client asks `git upload-pack` for, as far as it must be allowed first. */
export interface UploadPackRequest {
  /** Object ids, lower case. */
  readonly wants: readonly string[];
}

const flushLengths = ['0000', '0001', '0002'];

/**
 * Reads a request body of git's smart HTTP protocol (versions 0, 1 and 2): pkt-lines, none of which carries binary
 * data. Whatever a later git may understand as a request for an object is refused here.
 * @throws Error where it is not such a body.
 */
export function parseUploadPackRequest(body: Buffer): UploadPackRequest {
  const wants: string[] = [];
  for (const line of packetLines(body)) {
    const text = line.toString('latin1').replace(/\n$/, '');
    const want = /^want ([0-9a-f]{40}(?:[0-9a-f]{24})?)(?:[ \0].*)?$/i.exec(text);
    if (want?.[1] !== undefined) wants.push(want[1].toLowerCase());
    else if (!isHarmless(text)) throw new Error('a request that this server does not serve');
  }
  return { wants };
}

const harmlessLines: readonly RegExp[] = [
  /^command=(ls-refs|fetch)$/,
  /^(agent|object-format|session-id|server-option)=/,
  /^have [0-9a-f]+$/i,
  /^shallow [0-9a-f]+$/i,
  /^deepen \d+$/,
  /^deepen-(since|not) /,
  /^deepen-relative$/,
  /^filter /,
  /^(done|thin-pack|no-progress|include-tag|ofs-delta|peel|symrefs|unborn|sideband-all|wait-for-done)$/,
  /^ref-prefix /,
];

function isHarmless(text: string): boolean {
  return harmlessLines.some((pattern) => pattern.test(text));
}

function* packetLines(body: Buffer): Generator<Buffer> {
  let offset = 0;
  while (offset < body.length) {
    const digits = body.toString('latin1', offset, offset + 4);
    offset += 4;
    if (flushLengths.includes(digits)) continue;
    const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : 0;
    if (length < 4 || offset + length - 4 > body.length) throw new Error('a damaged request');
    yield body.subarray(offset, offset + length - 4);
    offset += length - 4;
  }
}
