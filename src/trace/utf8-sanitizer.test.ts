import { isUtf8 } from 'node:buffer';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutAt, cutPlaces, propertyRuns, runLayer } from './testing/split.ts';
import { Utf8Sanitizer, utf8SanitizerStateSchema } from './utf8-sanitizer.ts';

const REPLACEMENT = '\u{fffd}';

function sanitize(...pieces: readonly Uint8Array[]): string {
  return Buffer.from(runLayer(new Utf8Sanitizer(), pieces), 'latin1').toString();
}

/** Bytes that come near to valid sequences. */
const nastyBytes = fc
  .array(fc.constantFrom(0x41, 0x80, 0xa0, 0xbf, 0xc0, 0xc3, 0xe0, 0xe2, 0xed, 0xf0, 0xf4, 0xf5, 0x90, 0x9f, 0xff), {
    maxLength: 12,
  })
  .map((bytes) => Uint8Array.from(bytes));

describe('Utf8Sanitizer', () => {
  it.each([
    ['a lone continuation', [0x61, 0x80, 0x62], `a${REPLACEMENT}b`],
    ['a broken sequence, each byte', [0xe2, 0x82, 0x41], `${REPLACEMENT}${REPLACEMENT}A`],
    ['an overlong form', [0xc0, 0xaf], `${REPLACEMENT}${REPLACEMENT}`],
    ['a surrogate', [0xed, 0xa0, 0x80], REPLACEMENT.repeat(3)],
    ['a value past the last', [0xf4, 0x90, 0x80, 0x80], REPLACEMENT.repeat(4)],
    ['an unfinished end', [0x61, 0xf0, 0x9f], `a${REPLACEMENT}${REPLACEMENT}`],
    ['valid text', [...Buffer.from('größe 😀 €')], 'größe 😀 €'],
  ])('treats %s', (_name, bytes, expected) => {
    expect(sanitize(Uint8Array.from(bytes))).toBe(expected);
  });

  it('joins a character that is split over writes', () => {
    const layer = new Utf8Sanitizer();
    const [one, two, three, four] = Buffer.from('😀');
    expect([one, two, three].map((byte) => layer.write(Uint8Array.from([byte as number])).length)).toEqual([0, 0, 0]);
    expect(Buffer.from(layer.write(Uint8Array.from([four as number]))).toString()).toBe('😀');
  });

  it('leaves valid text as it is, and gives valid text for any bytes, wherever they are split', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          nastyBytes,
          fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(text)),
        ),
        cutPlaces,
        (bytes, places) => {
          const whole = sanitize(bytes);
          const pieces = cutAt(bytes, places);
          expect(sanitize(...pieces)).toBe(whole);
          if (isUtf8(bytes)) expect(whole).toBe(Buffer.from(bytes).toString());
          let layer = new Utf8Sanitizer();
          let resumed = Buffer.alloc(0);
          for (const piece of pieces) {
            resumed = Buffer.concat([resumed, layer.write(piece)]);
            const saved: unknown = JSON.parse(JSON.stringify(layer.snapshot()));
            layer = new Utf8Sanitizer(utf8SanitizerStateSchema.parse(saved));
          }
          resumed = Buffer.concat([resumed, layer.flush()]);
          expect(isUtf8(resumed)).toBe(true);
          expect(resumed.toString()).toBe(whole);
        },
      ),
      { numRuns: propertyRuns(5000) },
    );
  });
});
