import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { doLocalFileWork } from './local-file-work.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-work-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('prints what a shell would have printed', async () => {
  const result = await doLocalFileWork([
    { op: 'printHost' },
    { op: 'print', level: 'notice', text: 'green' },
    { op: 'print', level: 'warning', text: 'yellow' },
    { op: 'emptyLine' },
  ]);
  expect(result).toEqual({
    stdout: `Running on ${hostname()}...\n\x1b[32;1mgreen\x1b[0;m\n\x1b[0;33myellow\x1b[0;m\n\n`,
    stderr: '',
    code: 0,
  });
});

test('makes, writes and removes, and takes the branch that holds', async () => {
  const path = join(folder, 'a', 'b');
  mkdirSync(join(folder, 'locked', 'inner'), { recursive: true });
  writeFileSync(join(folder, 'locked', 'inner', 'file'), '');
  chmodSync(join(folder, 'locked'), 0o500);
  const result = await doLocalFileWork([
    { op: 'makeDirectory', path },
    { op: 'writeFile', path: join(path, 'file'), content: 'text' },
    { op: 'removeFile', path: join(path, 'absent') },
    { op: 'removeDirectory', path: join(folder, 'locked') },
    {
      op: 'if',
      condition: { test: 'isDirectory', path },
      then: [{ op: 'print', level: 'print', text: 'yes' }],
      else: [{ op: 'print', level: 'print', text: 'no' }],
    },
  ]);
  expect(result).toEqual({ stdout: '\x1b[0;myes\n', stderr: '', code: 0 });
  expect(readFileSync(join(path, 'file'), 'utf8')).toBe('text');
  expect(existsSync(join(folder, 'locked'))).toBe(false);
});

test('stops at the first failure', async () => {
  writeFileSync(join(folder, 'file'), '');
  const result = await doLocalFileWork([
    { op: 'makeDirectory', path: join(folder, 'file', 'below') },
    { op: 'print', level: 'print', text: 'not reached' },
  ]);
  expect(result.code).toBe(1);
  expect(result.stdout).toBe('');
  expect(result.stderr).toMatch(/ENOTDIR/);
});
