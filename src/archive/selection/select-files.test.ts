import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Logger } from '../../observability/logger.ts';
import { pathBytes } from '../archive-path.ts';
import { selectFiles } from './select-files.ts';
import { listUntracked } from './untracked.ts';

let root: string;
let lines: string[];

const log: Logger = {
  debug: () => {},
  info: (message) => void lines.push(message),
  warn: (message) => void lines.push(`W ${message}`),
  error: (message) => void lines.push(`E ${message}`),
  child: () => log,
};

function write(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), path);
  }
}

async function select(paths: string[], options: { excludes?: string[]; untracked?: boolean } = {}): Promise<string[]> {
  const git = { environment: process.env, reportOutput: (text: string) => void lines.push(text) };
  const entries = await selectFiles(
    { root, paths, excludes: options.excludes ?? [], untracked: options.untracked ?? false },
    { log, listUntracked: (directory, signal) => listUntracked(directory, git, signal) },
    new AbortController().signal,
  );
  return entries.map(({ path }) => path);
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'select-'));
  lines = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('selectFiles', () => {
  it('takes a directory with everything below it, sorted by bytes', async () => {
    write('out/b/x', 'out/a.txt', 'out/a/y', 'out/.hidden', 'other');
    expect(await select(['out/'])).toEqual(['out', 'out/.hidden', 'out/a', 'out/a.txt', 'out/a/y', 'out/b', 'out/b/x']);
    expect(lines).toEqual(['out/: found 7 matching artifact files and directories']);
  });

  it('leaves out what another command unpacks, whatever would select it', async () => {
    execFileSync('git', ['init', '--quiet', root]);
    write('a.txt', '.millrace-unpack-0123/half.txt');
    expect(await select(['.millrace*', '*.txt', '**/half.txt'], { untracked: true })).toEqual(['a.txt']);
  });

  it('walks every match of a pattern', async () => {
    write('a/b/c', 'a/d', 'e/f');
    expect(await select(['a/*'])).toEqual(['a/b', 'a/b/c', 'a/d']);
    expect(await select(['**/c'])).toEqual(['a/b/c']);
    expect(await select(['*/'])).toEqual(['a', 'a/b', 'a/b/c', 'a/d', 'e', 'e/f']);
  });

  it('takes the whole project for a dot, the absolute path and two stars', async () => {
    write('.git/HEAD', 'x');
    const all = ['.', '.git', '.git/HEAD', 'x'];
    expect(await select(['.'])).toEqual(all);
    expect(await select([root])).toEqual(all);
    expect(await select(['**'])).toEqual(all);
  });

  it('lists an entry once, whatever selects it', async () => {
    write('a/x', 'a/y');
    expect(await select(['a', 'a/x', '**/x', 'a/*'])).toEqual(['a', 'a/x', 'a/y']);
    expect(lines).toContain('**/x: found 1 matching artifact files and directories');
  });

  it('says what it cannot find and what lies outside', async () => {
    expect(await select(['nope', '', '../x', 'a[', '/etc/passwd'])).toEqual([]);
    const advice = `Ensure that the artifact path is relative to the working directory (${root})`;
    expect(lines).toEqual([
      'W No matching files. Path is empty.',
      'W processPath: artifact path is not a subpath of project directory: ../x',
      'W a[: syntax error in pattern',
      'W processPath: artifact path is not a subpath of project directory: /etc/passwd',
      `W nope: no matching files. ${advice}`,
    ]);
  });

  it('excludes by the whole path, without recursion', async () => {
    write('tmp/a', 'tmp/b/c', 'x.o', 'd/x.o', 'keep');
    expect(await select(['.'], { excludes: ['tmp'] })).toContain('tmp/a');
    expect(await select(['.'], { excludes: ['tmp/'] })).not.toContain('tmp');
    expect(await select(['.'], { excludes: ['tmp/**'] })).toEqual(['.', 'd', 'd/x.o', 'keep', 'x.o']);
    expect(await select(['.'], { excludes: ['tmp/*'] })).toContain('tmp/b/c');
    expect(await select(['.'], { excludes: ['**/*.o'] })).toEqual([
      '.',
      'd',
      'keep',
      'tmp',
      'tmp/a',
      'tmp/b',
      'tmp/b/c',
    ]);
    expect(lines).toContain('**/*.o: excluded 2 files');
  });

  it('lets a bad exclude exclude nothing', async () => {
    write('a');
    expect(await select(['a'], { excludes: ['[', '../a'] })).toEqual(['a']);
    expect(lines[0]).toBe('W isExcluded: artifact path is not a subpath of project directory: ../a');
  });

  it('does not go into a subtree that is excluded as a whole', async () => {
    write('a/x', 'a/node_modules/y', 'a/node_modules/z/w');
    expect(await select(['a'], { excludes: ['**/node_modules/**'] })).toEqual(['a', 'a/x']);
    // The directory alone: what is below it was never looked at.
    expect(lines).toContain('**/node_modules/**: excluded 1 files');
  });

  it('stores links as links and does not follow them', async () => {
    write('real/x');
    symlinkSync('real', join(root, 'link'));
    symlinkSync('nowhere', join(root, 'dangling'));
    expect(await select(['*'])).toEqual(['dangling', 'link', 'real', 'real/x']);
    expect(await select(['link'])).toEqual(['link']);
    expect(await select(['**/x'])).toEqual(['real/x']);
  });

  it('follows a link that is named literally', async () => {
    write('real/x', 'real/sub/y');
    symlinkSync('real', join(root, 'link'));
    expect(await select(['link/x'])).toEqual(['link/x']);
    expect(await select(['link/*'])).toEqual(['link/sub', 'link/sub/y', 'link/x']);
    expect(await select(['link/sub'])).toEqual(['link/sub', 'link/sub/y']);
  });

  it('takes names that are not valid UTF-8 byte for byte', async () => {
    const name = Buffer.from([0x66, 0xff, 0xc3, 0xa9]);
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), 'x');
    const [path = ''] = await select(['f*']);
    expect(pathBytes(path)).toEqual(name);
  });

  it('finds a name with odd characters by its literal path', async () => {
    write('a b\n"c"', '-x', '$y');
    expect(await select(['a b\n"c"', '-x', '$y'])).toEqual(['$y', '-x', 'a b\n"c"']);
  });

  it('adds what git does not track, ignored files included', async () => {
    execFileSync('git', ['init', '-q', root]);
    write('tracked', 'new', 'ignored.o', 'dir/é');
    writeFileSync(join(root, '.gitignore'), '*.o\n');
    execFileSync('git', ['-C', root, 'add', 'tracked', '.gitignore']);
    expect(await select([], { untracked: true })).toEqual(['dir/é', 'ignored.o', 'new']);
    expect(lines).toEqual(['untracked: found 3 files']);
    expect(await select([], { untracked: true, excludes: ['*.o'] })).toEqual(['dir/é', 'new']);
  });

  it('goes on where git fails', async () => {
    write('a');
    expect(await select(['a'], { untracked: true })).toEqual(['a']);
    expect(lines.at(-1)).toBe('W untracked: exit status 128');
  });
});
