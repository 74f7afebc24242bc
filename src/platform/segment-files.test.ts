import { appendFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSegments } from './segment-files.ts';

describe('segment reader', () => {
  let base: string;
  beforeEach(() => {
    base = join(mkdtempSync(join(tmpdir(), 'segments-')), 'out');
  });
  afterEach(() => rmSync(join(base, '..'), { recursive: true }));

  it('waits for what is not there yet', () => {
    const reader = openSegments(base, { segment: 0, offset: 0 });
    expect(reader.read()).toBeUndefined();
    writeFileSync(`${base}.0`, '');
    expect(reader.read()).toBeUndefined();
    appendFileSync(`${base}.0`, 'a');
    expect(reader.read()?.toString()).toBe('a');
    expect(reader.read()).toBeUndefined();
    reader.close();
  });

  it('reads what was written last before it goes on to the next file', () => {
    const reader = openSegments(base, { segment: 0, offset: 0 });
    writeFileSync(`${base}.0`, 'a');
    reader.read();
    appendFileSync(`${base}.0`, 'b');
    writeFileSync(`${base}.1`, 'c');
    expect(reader.read()?.toString()).toBe('b');
    expect(reader.position).toEqual({ segment: 0, offset: 2 });
    expect(reader.read()?.toString()).toBe('c');
    expect(reader.position).toEqual({ segment: 1, offset: 1 });
    reader.close();
  });

  it('starts at a position', () => {
    for (const [segment, text] of ['abc', 'def', 'ghi'].entries()) writeFileSync(`${base}.${segment}`, text);
    const reader = openSegments(base, { segment: 1, offset: 2 });
    expect([reader.read(), reader.read(), reader.read()].map((bytes) => bytes?.toString())).toEqual([
      'f',
      'ghi',
      undefined,
    ]);
    reader.close();
  });

  it('gives bytes that stay as they are', () => {
    writeFileSync(`${base}.0`, 'first');
    const reader = openSegments(base, { segment: 0, offset: 0 });
    const first = reader.read();
    appendFileSync(`${base}.0`, 'SECOND');
    reader.read();
    expect(first?.toString()).toBe('first');
    reader.close();
  });

  it('removes only files that were read', () => {
    for (const [segment, text] of ['a', 'b', 'c'].entries()) writeFileSync(`${base}.${segment}`, text);
    const reader = openSegments(base, { segment: 0, offset: 0 });
    reader.read();
    reader.read();
    reader.removeBefore({ segment: 2, offset: 0 });
    expect([0, 1, 2].map((segment) => existsSync(`${base}.${segment}`))).toEqual([false, true, true]);
    reader.close();
  });
});
