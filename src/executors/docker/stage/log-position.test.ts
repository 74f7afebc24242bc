import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogPosition } from './log-position.ts';

/** As the daemon does it: entries of a line or 16 KiB, each decoded on its own, a wrong byte becomes U+FFFD. */
function logged(output: Buffer): Buffer {
  const entries: Buffer[] = [];
  for (let start = 0; start < output.length; ) {
    const newline = output.indexOf(10, start);
    const lineEnd = newline < 0 ? output.length : newline + 1;
    const end = newline >= 0 && newline - start < 16_384 ? lineEnd : Math.min(lineEnd, start + 16_384);
    entries.push(output.subarray(start, end));
    start = end;
  }
  return Buffer.concat(entries.map(decodeEachByte));
}

function decodeEachByte(entry: Buffer): Buffer {
  let text = '';
  for (let at = 0; at < entry.length; ) {
    const size =
      (entry[at] ?? 0) < 0x80
        ? 1
        : [2, 3, 4].find((length) => {
            try {
              return (
                at + length <= entry.length &&
                new TextDecoder('utf8', { fatal: true, ignoreBOM: true }).decode(entry.subarray(at, at + length))
                  .length > 0
              );
            } catch {
              return false;
            }
          });
    text += size === undefined ? '\ufffd' : entry.toString('utf8', at, at + size);
    at += size ?? 1;
  }
  return Buffer.from(text);
}

const output = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
      fc.constant(Buffer.from('\n')),
      fc.integer({ min: 16_370, max: 16_390 }).map((length) => Buffer.alloc(length, 'x')),
      fc.integer({ min: 5_455, max: 5_465 }).map((length) => Buffer.from('€'.repeat(length))),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.concat(parts));

describe('the position in the log', () => {
  it('is where the log has what was passed on, however the output is cut', () => {
    fc.assert(
      fc.property(output, fc.array(fc.nat(40_000), { maxLength: 5 }), (bytes, cuts) => {
        const position = new LogPosition(0);
        const log = logged(bytes);
        const passed: Buffer[] = [];
        const points = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        for (let index = 1; index < points.length; index += 1) {
          const counted = position.take(bytes.subarray(points[index - 1], points[index]));
          passed.push(counted.bytes);
          // What is in the log up to there is exactly what was passed on.
          expect(logged(Buffer.concat(passed)).length).toBe(counted.logBytes);
          expect(log.length).toBeGreaterThanOrEqual(counted.logBytes);
        }
        const rest = position.end();
        expect(Buffer.concat([...passed, rest.bytes]).equals(bytes)).toBe(true);
        expect(rest.logBytes).toBe(log.length);
      }),
      { numRuns: 100 },
    );
  });

  it('goes on from a given position', () => {
    expect(new LogPosition(7).take(Buffer.from('abc')).logBytes).toBe(10);
  });
});
