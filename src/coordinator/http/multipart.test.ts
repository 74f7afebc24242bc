import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dispositionOf, MultipartError, multipartBoundary, readMultipart } from './multipart.ts';

interface ReadPart {
  readonly headers: Record<string, string>;
  readonly content: string;
}

async function read(body: Buffer, boundary: string, cuts: readonly number[] = []): Promise<readonly ReadPart[]> {
  const parts: { headers: Record<string, string>; content: Buffer[] }[] = [];
  for await (const event of readMultipart(chunksOf(body, cuts), boundary)) {
    if (event.type === 'part') parts.push({ headers: Object.fromEntries(event.headers), content: [] });
    else if (event.type === 'data') parts.at(-1)?.content.push(Buffer.from(event.bytes));
  }
  return parts.map((part) => ({ headers: part.headers, content: Buffer.concat(part.content).toString('latin1') }));
}

async function* chunksOf(body: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  let start = 0;
  for (const cut of cuts.toSorted((left, right) => left - right)) {
    yield body.subarray(start, cut);
    start = cut;
  }
  yield body.subarray(start);
}

function form(boundary: string, contents: readonly string[]): Buffer {
  const parts = contents.map(
    (content, index) => `--${boundary}\r\nContent-Disposition: form-data; name="p${index}"\r\n\r\n${content}\r\n`,
  );
  return Buffer.from(`${parts.join('')}--${boundary}--\r\n`, 'latin1');
}

describe('readMultipart', () => {
  test('reads any content however the body is cut', async () => {
    // Content made of the boundary's own characters is the hard case.
    const content = fc.array(fc.constantFrom('\r', '\n', '-', 'b', 'o', '--bo', '\r\n--b'), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(content, { minLength: 1, maxLength: 3 }),
        fc.array(fc.nat(400), { maxLength: 12 }),
        async (drawn, cuts) => {
          const contents = drawn.map((pieces) => pieces.join('').replaceAll('\r\n--bound', ''));
          const body = form('bound', contents);
          const parts = await read(
            body,
            'bound',
            cuts.filter((cut) => cut < body.length),
          );
          expect(parts.map((part) => part.content)).toEqual(contents);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('reads byte by byte, with preamble, epilogue and a part without headers', async () => {
    const body = Buffer.from('preamble\r\n--b\r\n\r\nplain\r\n--b  \r\nX-A: 1\r\nx-b:2\r\n\r\n\r\n--b--\r\nepilogue');
    const parts = await read(
      body,
      'b',
      Array.from({ length: body.length }, (_, index) => index),
    );
    expect(parts).toEqual([
      { headers: {}, content: 'plain' },
      { headers: { 'x-a': '1', 'x-b': '2' }, content: '' },
    ]);
  });

  test.each([
    ['cut short', '--b\r\n\r\ncontent\r\n--b'],
    ['never opened', 'nothing here'],
    ['text behind a boundary', '--b oops\r\n\r\nx\r\n--b--'],
    ['endless headers', `--b\r\nX: ${'x'.repeat(20_000)}`],
  ])('%s is an error', async (_name, body) => {
    await expect(read(Buffer.from(body), 'b')).rejects.toThrow(MultipartError);
  });
});

test('multipartBoundary', () => {
  expect(multipartBoundary('multipart/form-data; boundary=abc')).toBe('abc');
  expect(multipartBoundary('Multipart/Form-Data; charset=x; boundary="a b;c"')).toBe('a b;c');
  expect(multipartBoundary('multipart/mixed; boundary=abc')).toBeUndefined();
  expect(multipartBoundary('multipart/form-data')).toBeUndefined();
});

test('dispositionOf', () => {
  const of = (value: string) => dispositionOf(new Map([['content-disposition', value]]));
  expect(of('form-data; name="file"; filename="a.zip"')).toEqual({ field: 'file', filename: 'a.zip' });
  expect(of('form-data; filename="../../etc/x"; name=file')).toEqual({ field: 'file', filename: 'x' });
  expect(of('form-data; name="other"')).toEqual({ field: 'other', filename: undefined });
});
