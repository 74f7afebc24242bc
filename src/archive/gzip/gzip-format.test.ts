import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inspectEntry } from '../../platform/file-tree.ts';
import { loadFormat } from '../format.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gzip-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function pack(format: string, ...paths: string[]): Promise<Buffer> {
  const entries = paths.map((path) => {
    const facts = inspectEntry(join(root, path));
    if (facts === undefined) throw new Error(`no ${path}`);
    return { path, facts };
  });
  const { write } = await loadFormat(format);
  const blocks: Buffer[] = [];
  const request = { root, entries, level: 'default' as const, concurrency: 2, problem: () => {} };
  for await (const block of write?.(request, new AbortController().signal) ?? []) blocks.push(block);
  return Buffer.concat(blocks);
}

function plant(path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

describe('gzip', () => {
  it('is one member a file, with name, path and time', async () => {
    plant('reports/junit.xml', '<a/>');
    plant('b', 'second');
    utimesSync(join(root, 'reports/junit.xml'), 1_500_000_000, 1_500_000_000);
    const bytes = await pack('gzip', 'reports/junit.xml', 'b');
    expect(gunzipSync(bytes).toString()).toBe('<a/>second');
    expect(bytes.readUInt32LE(4)).toBe(1_500_000_000);
    expect(bytes.subarray(10).toString('latin1')).toMatch(/^junit\.xml\0reports\/junit\.xml\0/);
  });

  it('escapes names that a header cannot hold', async () => {
    plant('ü 100%', 'x');
    expect((await pack('gzip', 'ü 100%')).subarray(10).toString('latin1')).toMatch(
      /^e:%C3%BC%20100%25\0e:%C3%BC%20100%25\0/,
    );
  });

  it('holds large and empty files', async () => {
    const content = Buffer.alloc(3_333_333, 'some text. ');
    plant('big', content);
    plant('empty', '');
    expect(gunzipSync(await pack('gzip', 'big', 'empty')).equals(content)).toBe(true);
  });

  it('refuses directories', async () => {
    plant('d/x', 'x');
    await expect(pack('gzip', 'd', 'd/x')).rejects.toThrow('the "d" is not a regular file');
  });
});

describe('raw', () => {
  it('is the bytes of the one file', async () => {
    const content = Buffer.alloc(2_500_000, 'abc');
    plant('f', content);
    plant('g', 'x');
    expect((await pack('raw', 'f')).equals(content)).toBe(true);
    await expect(pack('raw', 'f', 'g')).rejects.toThrow('only one file can be sent as raw');
  });
});

describe('other formats', () => {
  it('are named in the error', async () => {
    await expect(pack('rar')).rejects.toThrow('"rar" format: unsupported archive format');
  });
});
