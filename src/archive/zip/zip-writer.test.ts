import { createHash } from 'node:crypto';
import {
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../observability/logger.ts';
import type { ArchiveFile } from '../../platform/archive-file.ts';
import type { CompressionLevel } from '../compression-level.ts';
import { defaultExtractionLimits } from '../extract/limits.ts';
import { selectFiles } from '../selection/select-files.ts';
import type { SelectedEntry } from '../selection/selected-entry.ts';
import { unpackArchive } from '../unpack.ts';
import { readZipDirectory } from './zip-directory.ts';
import { writeZip } from './zip-writer.ts';

let base: string;
const { signal } = new AbortController();

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'zip-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

async function select(root: string): Promise<readonly SelectedEntry[]> {
  const request = { root, paths: ['.'], excludes: [], untracked: false };
  return await selectFiles(request, { log: silentLogger, listUntracked: async () => [] }, signal);
}

async function pack(
  root: string,
  entries: readonly SelectedEntry[],
  level: CompressionLevel = 'default',
  problems: string[] = [],
) {
  const blocks: Buffer[] = [];
  const request = { root, entries, level, concurrency: 2, problem: (message: string) => void problems.push(message) };
  for await (const block of writeZip(request, 'deflate', signal)) blocks.push(block);
  return Buffer.concat(blocks);
}

function memoryFile(bytes: Buffer): ArchiveFile {
  const read = (position: number, length: number): Buffer => bytes.subarray(position, position + length);
  return {
    path: 'memory',
    descriptor: -1,
    sizeBytes: bytes.length,
    readNow: read,
    read: async (position, length) => read(position, length),
    close: () => {},
  };
}

async function unpack(bytes: Buffer, target: string): Promise<void> {
  mkdirSync(target, { recursive: true });
  const path = `${target}.archive`;
  writeFileSync(path, bytes);
  await unpackArchive({ path, target, limits: defaultExtractionLimits, concurrency: 2 }, signal);
  rmSync(path);
}

/** Everything below a directory that an archive should keep. */
function describeTree(root: string | Buffer, prefix: Buffer = Buffer.alloc(0)): string[] {
  const join2 = (a: Buffer, b: Buffer): Buffer => Buffer.concat([a, Buffer.from('/'), b]);
  const rootBytes = Buffer.from(root);
  return readdirSync(rootBytes, { encoding: 'buffer' })
    .sort((a, b) => Buffer.compare(a, b))
    .flatMap((name) => {
      const path = join2(rootBytes, name);
      const shown = join2(prefix, name);
      const stats = lstatSync(path);
      const time = Math.floor(stats.mtimeMs / 1000);
      const facts = `${shown.toString('hex')} ${stats.mode.toString(8)} ${time}`;
      if (stats.isDirectory()) return [facts, ...describeTree(path, shown)];
      if (stats.isSymbolicLink()) return [`${facts} -> ${readlinkSync(path, { encoding: 'hex' })}`];
      return [`${facts} = ${createHash('sha256').update(readFileSync(path)).digest('hex')}`];
    });
}

type Tree = { readonly [name: string]: Node };
type Node =
  | { readonly kind: 'file'; readonly content: Uint8Array; readonly mode: number }
  | { readonly kind: 'link'; readonly to: string }
  | { readonly kind: 'directory'; readonly children: Tree; readonly mode: number };

const nameArbitrary = fc
  .oneof(
    fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }),
    fc.constantFrom('a b', '-x', '[id]', '*', 'ä', '😀', '\\', '.x', 'PK'),
  )
  .filter(
    (name) =>
      !/[/\0]/.test(name) && name !== '.' && name !== '..' && Buffer.byteLength(name) < 200 && name.isWellFormed(),
  );
const fileArbitrary = fc.record({
  kind: fc.constant('file' as const),
  content: fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ minLength: 1, maxLength: 4 }).map((unit) => Buffer.alloc(30_000, unit)),
  ),
  // Only root can pack a file that nobody may read.
  mode: fc.constantFrom(0o644, 0o755, 0o600, 0o444, process.getuid?.() === 0 ? 0o000 : 0o400),
});
const linkArbitrary = fc.record({
  kind: fc.constant('link' as const),
  to: fc.constantFrom('x', '../..', '/etc/passwd', 'ä/b'),
});
const { tree } = fc.letrec<{ tree: Tree; node: Node; directory: Node }>((tie) => ({
  tree: fc.dictionary(nameArbitrary, tie('node'), { maxKeys: 5 }),
  node: fc.oneof({ maxDepth: 3 }, fileArbitrary, linkArbitrary, tie('directory')),
  directory: fc.record({
    kind: fc.constant('directory' as const),
    children: tie('tree'),
    mode: fc.constantFrom(0o755, 0o700, 0o555),
  }),
}));

function plant(root: string, nodes: Tree): void {
  mkdirSync(root, { recursive: true });
  for (const [name, node] of Object.entries(nodes)) {
    const path = `${root}/${name}`;
    if (node.kind === 'file') writeFileSync(path, node.content, { mode: node.mode });
    else if (node.kind === 'link') symlinkSync(node.to, path);
    else plant(path, node.children);
    lutimesSync(path, 1_600_000_000 + name.length, 1_600_000_000 + name.length);
  }
}

describe('a zip of a tree', () => {
  it('unpacks to the same tree, whatever the tree', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(tree, fc.constantFrom<CompressionLevel[]>('fastest', 'default'), async (nodes, level) => {
        run += 1;
        const [from, to] = [join(base, `from${run}`), join(base, `to${run}`)];
        plant(from, nodes);
        await unpack(await pack(from, await select(from), level), to);
        expect(describeTree(to)).toEqual(describeTree(from));
      }),
      { numRuns: 60 },
    );
  });

  it('is the same bytes every time', async () => {
    plant(base, {
      a: { kind: 'file', content: Buffer.alloc(3_000_000, 'abc'), mode: 0o644 },
      l: { kind: 'link', to: 'a' },
    });
    const first = await pack(base, await select(base));
    expect((await pack(base, await select(base))).equals(first)).toBe(true);
  });

  it('keeps names that are not valid UTF-8', async () => {
    const from = join(base, 'from');
    mkdirSync(from);
    writeFileSync(Buffer.concat([Buffer.from(`${from}/`), Buffer.from([0xfe, 0x41])]), 'x');
    const bytes = await pack(from, await select(from));
    await unpack(bytes, join(base, 'to'));
    expect(readdirSync(join(base, 'to'), { encoding: 'buffer' })).toEqual([Buffer.from([0xfe, 0x41])]);
  });

  it.each<CompressionLevel>(['fastest', 'fast', 'default', 'slow', 'slowest'])(
    'holds large files at level %s',
    async (level) => {
      const from = join(base, 'from');
      mkdirSync(from);
      const content = Buffer.concat([
        Buffer.alloc(2_500_000, 'text '),
        Buffer.from(readFileSync(process.execPath).subarray(0, 1_500_000)),
      ]);
      writeFileSync(join(from, 'big'), content);
      const bytes = await pack(from, await select(from), level);
      expect(bytes.length > content.length).toBe(level === 'fastest');
      await unpack(bytes, join(base, 'to'));
      expect(readFileSync(join(base, 'to/big')).equals(content)).toBe(true);
    },
  );

  it('stores what deflate does not shrink', async () => {
    writeFileSync(join(base, 'tiny'), 'x');
    writeFileSync(join(base, 'empty'), '');
    const { entries } = readZipDirectory(memoryFile(await pack(base, await select(base))), 10);
    expect(entries.map(({ name, method }) => [name, method])).toEqual([
      ['./', 0],
      ['empty', 0],
      ['tiny', 0],
    ]);
  });

  it('says the project root, owners and modes as older runners expect', async () => {
    writeFileSync(join(base, 'é'), 'x', { mode: 0o640 });
    const bytes = await pack(base, await select(base));
    const { entries } = readZipDirectory(memoryFile(bytes), 10);
    expect(entries[0]).toMatchObject({ name: './', kind: 'directory' });
    expect(entries[1]).toMatchObject({
      name: 'é',
      mode: 0o100640,
      uid: process.getuid?.(),
      gid: process.getgid?.(),
      flags: 0x800,
    });
  });

  it('leaves out what is gone meanwhile, and says so', async () => {
    writeFileSync(join(base, 'a'), 'x');
    writeFileSync(join(base, 'b'), 'x');
    const entries = await select(base);
    rmSync(join(base, 'a'));
    const problems: string[] = [];
    const { entries: packed } = readZipDirectory(memoryFile(await pack(base, entries, 'default', problems)), 10);
    expect(packed.map(({ name }) => name)).toEqual(['./', 'b']);
    expect(problems[0]).toMatch(/^File ignored: ENOENT/);
  });

  it('records what was read of a file that grew or shrank', async () => {
    writeFileSync(join(base, 'f'), 'short');
    const entries = await select(base);
    writeFileSync(join(base, 'f'), 'much longer than it was');
    await unpack(await pack(base, entries), join(base, 'to'));
    expect(readFileSync(join(base, 'to/f'), 'utf8')).toBe('much ');
    writeFileSync(join(base, 'f'), 'm');
    await unpack(await pack(base, entries), join(base, 'to'));
    expect(readFileSync(join(base, 'to/f'), 'utf8')).toBe('m');
  });

  it('has ZIP64 records for more entries than 16 bits count', async () => {
    const facts = { kind: 'directory' as const, mode: 0o040755, sizeBytes: 0, modifiedMs: 0, uid: 0, gid: 0 };
    const entries = Array.from({ length: 70_000 }, (_, index) => ({ path: `d${index}`, facts }));
    const bytes = await pack(base, entries);
    expect(readZipDirectory(memoryFile(bytes), 100_000).entries).toHaveLength(70_000);
  });

  it('stops when nobody takes it any more', async () => {
    writeFileSync(join(base, 'big'), Buffer.alloc(20_000_000, 'x'));
    const request = {
      root: base,
      entries: await select(base),
      level: 'fastest' as const,
      concurrency: 2,
      problem: () => {},
    };
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    for await (const block of writeZip(request, 'deflate', signal)) {
      expect(block.length).toBeGreaterThan(0);
      break;
    }
    expect(descriptors()).toBe(before);
  });
});
