import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unpackArchive } from '../../../src/archive/unpack.ts';
import { errorMessage } from '../../../src/lib/errors.ts';
import { runBuilt } from '../../support/built-program.ts';
import { needs } from '../../support/needs.ts';
import { buildTarZstd } from '../../support/tar-builder.ts';
import { buildZip } from '../../support/zip-builder.ts';
import { hostileArchives } from './hostile-corpus.ts';

const limits = { maxEntries: 100, maxTotalBytes: 100_000_000 };

let base: string;
let target: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'hostile-'));
  target = join(base, 'target');
  mkdirSync(join(target, 'ok'), { recursive: true });
  writeFileSync(join(base, 'outside'), 'untouched');
  writeFileSync(join(target, 'good'), 'as it was');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

async function refusalOf(bytes: Buffer): Promise<string> {
  const path = join(base, 'archive');
  writeFileSync(path, bytes);
  try {
    await unpackArchive({ path, target, limits, concurrency: 2 }, new AbortController().signal);
  } catch (error) {
    return errorMessage(error);
  }
  return 'not refused';
}

function expectAsItWas(): void {
  expect(readdirSync(base).sort()).toEqual(['archive', 'outside', 'target']);
  expect(readdirSync(target).sort()).toEqual(['good', 'ok']);
  expect(readdirSync(join(target, 'ok'))).toEqual([]);
  expect(readFileSync(join(target, 'good'), 'utf8')).toBe('as it was');
  expect(readFileSync(join(base, 'outside'), 'utf8')).toBe('untouched');
}

describe('hostile archives', () => {
  it.each(hostileArchives)('$name: refused, named, and nothing is changed', async ({ bytes, names }) => {
    expect(await refusalOf(bytes)).toContain(names);
    expectAsItWas();
  });

  it.each(['zip', 'tarzstd'])('%s: nothing is written through a link that was there', async (format) => {
    symlinkSync(base, join(target, 'link'));
    const entries = [
      { name: 'good', content: 'new' },
      { name: 'link/evil', content: 'x' },
    ];
    const refusal = await refusalOf(format === 'zip' ? buildZip(entries) : buildTarZstd(entries));
    expect(refusal).toContain('"link" is a symbolic link');
    rmSync(join(target, 'link'));
    expectAsItWas();
  });

  it.each(['zip', 'tarzstd'])('%s: a link in the place of a file is replaced, not followed', async (format) => {
    rmSync(join(target, 'good'));
    symlinkSync('../outside', join(target, 'good'));
    const entries = [{ name: 'good', content: 'new' }];
    expect(await refusalOf(format === 'zip' ? buildZip(entries) : buildTarZstd(entries))).toBe('not refused');
    expect(readFileSync(join(target, 'good'), 'utf8')).toBe('new');
    expect(readFileSync(join(base, 'outside'), 'utf8')).toBe('untouched');
  });

  it('devices and pipes are left out', async () => {
    const types = ['3', '4', '6'].map((type) => ({ name: `special-${type}`, type }));
    expect(await refusalOf(buildTarZstd([...types, { name: 'ok/new', content: 'x' }]))).toBe('not refused');
    expect(readdirSync(target).sort()).toEqual(['good', 'ok']);
    expect(readdirSync(join(target, 'ok'))).toEqual(['new']);
  });

  it('count as many entries as the limit', async () => {
    const entries = Array.from({ length: 101 }, (_, index) => ({ name: `f${index}` }));
    expect(await refusalOf(buildZip(entries))).toContain('limit of 100');
    expect(await refusalOf(buildTarZstd(entries))).toContain('limit of 100');
    expectAsItWas();
  });
});

describe.skipIf(!needs('binary'))('the helper program', () => {
  it('refuses every hostile archive with one line that names the entry', async () => {
    for (const { name, bytes, names } of hostileArchives) {
      const path = join(base, 'archive');
      writeFileSync(path, bytes);
      const env = { PATH: process.env['PATH'], MILLRACE_EXTRACT_MAX_BYTES: '100000000' };
      const { code, stderr } = await runBuilt(['cache-extractor', '--file', path], { cwd: target, env });
      expect(`${name}: ${code}`).toBe(`${name}: 1`);
      expect(stderr).toMatch(/FATAL: /);
      expect(stderr).toContain(names);
      expect(stderr).not.toMatch(/\n\s+at /);
      rmSync(join(base, 'manifest.json'), { force: true });
      expectAsItWas();
    }
  });
});
