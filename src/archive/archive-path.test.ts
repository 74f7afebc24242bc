import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pathBelow, pathBytes, pathText, sortByPath } from './archive-path.ts';

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 20 }).map((part) => Buffer.from(part)),
  fc.string({ unit: 'binary', maxLength: 8 }).map((text) => Buffer.from(text)),
);

describe('paths of archives', () => {
  it('keep every byte', () => {
    fc.assert(
      fc.property(bytes, (name) => {
        expect(pathBytes(pathText(name)).equals(name)).toBe(true);
      }),
    );
  });

  it('are sorted by their bytes', () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 12 }), (names) => {
        const sorted = sortByPath(names.map((name) => ({ path: pathText(name) }))).map(({ path }) => pathBytes(path));
        expect(sorted).toEqual([...names].sort((a, b) => Buffer.compare(a, b)));
      }),
    );
  });

  it('are joined as text where they can be', () => {
    expect(pathBelow('/a', 'b/c')).toBe('/a/b/c');
    expect(pathBelow('/', 'b')).toBe('/b');
    expect(pathBelow('/a', '.')).toBe('/a');
    expect(pathBelow('/a', pathText(Buffer.from([0xff])))).toEqual(Buffer.from([0x2f, 0x61, 0x2f, 0xff]));
  });
});
