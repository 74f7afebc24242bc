import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { makeUnpackFolder, unpackFolderPrefix } from './unpack-folder.ts';

it('removes what killed programs left, and nothing that may be in use', () => {
  const parent = mkdtempSync(join(tmpdir(), 'unpack-folder-'));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  const old = join(parent, `${unpackFolderPrefix}old`);
  const young = join(parent, `${unpackFolderPrefix}young`);
  for (const folder of [old, young]) {
    mkdirSync(folder);
    writeFileSync(join(folder, 'file'), 'x');
  }
  const twoHoursAgo = Date.now() / 1000 - 7200;
  utimesSync(old, twoHoursAgo, twoHoursAgo);
  const made = makeUnpackFolder(parent);
  expect([old, young, made].map((folder) => existsSync(folder))).toEqual([false, true, true]);
});
