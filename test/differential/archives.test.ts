import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../support/needs.ts';
import { millrace } from '../support/runner-bench.ts';

const peer = [process.env['MILLRACE_PEER_HELPER'] ?? ''];

let base: string;
let project: string;

beforeAll(() => {
  if (!needs('peer-helper')) return;
  base = mkdtempSync(join(tmpdir(), 'archives-'));
  project = join(base, 'project');
  plantMany(join(project, 'many'), 12_000);
  plantOdd(join(project, 'odd'));
}, 120_000);
afterAll(() => rmSync(base ?? join(tmpdir(), 'archives-none'), { recursive: true, force: true }));

/** Files as dependencies bring them, with modes, links and empty directories in between. */
function plantMany(root: string, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const folder = join(root, `group-${index % 20}`, `package-${Math.floor(index / 15)}`);
    if (index % 15 < 1 || index < 20) mkdirSync(folder, { recursive: true });
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `file-${index}.js`);
    const content = `export const value${index} = ${index};\n`.repeat(index % 90);
    writeFileSync(path, content, { mode: [0o644, 0o755, 0o600, 0o444][index % 4] ?? 0o644 });
    utimesSync(path, 1_500_000_000 + index, 1_400_000_000 + index);
    if (index % 50 === 0) symlinkSync(`file-${index}.js`, join(folder, `link-${index}`));
    if (index % 90 === 0) mkdirSync(join(folder, 'empty'));
  }
}

/** Everything that a name, a mode or a link can be. */
function plantOdd(root: string): void {
  mkdirSync(join(root, 'deep', ...Array.from({ length: 30 }, (_, index) => `folder-${index}`)), { recursive: true });
  const names = [
    'é 100%',
    'tab\there',
    'new\nline',
    '-dash',
    'back\\slash',
    '"quotes"',
    "it's",
    '日本語',
    'a'.repeat(200),
  ];
  for (const name of names) writeFileSync(join(root, name), name);
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x62, 0xff, 0xfe])]), 'not UTF-8');
  writeFileSync(join(root, 'empty'), '');
  writeFileSync(join(root, 'nobody'), 'x', { mode: 0o000 });
  chmodSync(join(root, 'nobody'), 0o000);
  writeFileSync(join(root, 'special'), 'x');
  chmodSync(join(root, 'special'), 0o6755);
  writeFileSync(join(root, 'large'), readFileSync(process.execPath).subarray(0, 9_000_000));
  symlinkSync('large', join(root, 'relative'));
  symlinkSync('/nowhere/at/all', join(root, 'dangling'));
  symlinkSync('../../outside', join(root, 'up'));
  mkdirSync(join(root, 'read-only'));
  writeFileSync(join(root, 'read-only/child'), 'x', { mode: 0o444 });
  chmodSync(join(root, 'read-only'), 0o555);
  mkdirSync(join(root, 'sticky'));
  chmodSync(join(root, 'sticky'), 0o1777);
}

async function run(command: readonly string[], args: readonly string[], cwd: string, env: Record<string, string>) {
  const [file = '', ...before] = command;
  const child = spawn(file, [...before, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], FF_USE_FASTZIP: 'true', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${file} ended with ${code}: ${stderr}`);
}

/** Without times of links and directories: the other program sets the first to now and changes the second itself. */
function describeTree(root: Buffer, prefix = ''): string[] {
  return readdirSync(root, { encoding: 'buffer' })
    .sort((a, b) => Buffer.compare(a, b))
    .flatMap((name) => {
      const path = Buffer.concat([root, Buffer.from('/'), name]);
      const shown = `${prefix}/${name.toString('latin1')}`;
      const stats = lstatSync(path);
      if (stats.isSymbolicLink()) return [`${shown} → ${readlinkSync(path)}`];
      const facts = `${shown} ${(stats.mode & 0o170777).toString(8)} ${stats.uid} ${stats.gid}`;
      if (stats.isDirectory()) return [facts, ...describeTree(path, shown)];
      const hash = createHash('sha256').update(readFileSync(path)).digest('hex');
      return [`${facts} ${Math.floor(stats.mtimeMs / 1000)} ${hash}`];
    });
}

const ours = () => millrace().command;
const theirs = () => peer;

describe.skipIf(!needs('peer-helper'))('12,000 mixed files', () => {
  it.each([
    ['ours, zip', ours, theirs, { CACHE_COMPRESSION_FORMAT: 'zip' }],
    ['ours, zip, stored', ours, theirs, { CACHE_COMPRESSION_FORMAT: 'zip', CACHE_COMPRESSION_LEVEL: 'fastest' }],
    ['ours, zip → the other’s old code', ours, theirs, { CACHE_COMPRESSION_FORMAT: 'zip', FF_USE_FASTZIP: 'false' }],
    ['ours, zipzstd', ours, theirs, {}],
    ['ours, zipzstd, slow', ours, theirs, { CACHE_COMPRESSION_LEVEL: 'slow' }],
    ['ours, zipzstd → the other’s old code', ours, theirs, { FF_USE_FASTZIP: 'false' }],
    ['ours, tarzstd', ours, theirs, { CACHE_COMPRESSION_FORMAT: 'tarzstd' }],
    ['theirs, zip', theirs, ours, {}],
    ['theirs, zip, stored', theirs, ours, { CACHE_COMPRESSION_LEVEL: 'fastest' }],
    ['theirs, old code', theirs, ours, { FF_USE_FASTZIP: 'false' }],
    ['theirs, tarzstd', theirs, ours, { CACHE_COMPRESSION_FORMAT: 'tarzstd' }],
    ['theirs, tarzstd, slow', theirs, ours, { CACHE_COMPRESSION_FORMAT: 'tarzstd', CACHE_COMPRESSION_LEVEL: 'slow' }],
  ] as const)('%s: the other unpacks the same tree', { timeout: 120_000 }, async (_name, from, to, env) => {
    const file = join(base, 'cache.zip');
    const target = join(base, 'target');
    mkdirSync(target);
    try {
      const paths = ['--path', 'many', '--path', 'odd'];
      await run(from(), ['cache-archiver', '--file', file, ...paths], project, env);
      await run(to(), ['cache-extractor', '--file', file], target, env);
      expect(describeTree(Buffer.from(target))).toEqual(describeTree(Buffer.from(project)));
    } finally {
      rmSync(target, { recursive: true, force: true });
      for (const name of ['cache.zip', 'metadata.json', 'manifest.json']) rmSync(join(base, name), { force: true });
    }
  });
});
