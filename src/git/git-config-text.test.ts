import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { array, assert, property, string } from 'fast-check';
import { expect, it } from 'vitest';
import { formatGitConfig } from './git-config-text.ts';

it('is read back by git as it was written', () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-config-'));
  const path = join(directory, 'config');
  const text = string({ unit: 'grapheme' }).map((value) => value.replaceAll(/[\0\r]/g, ''));
  try {
    assert(
      property(array(text, { minLength: 1, maxLength: 12 }), text, (values, subsection) => {
        const name = subsection.replaceAll('\n', '');
        writeFileSync(
          path,
          formatGitConfig(values.map((value) => ({ section: 'url', subsection: name, name: 'x', value }))),
        );
        const output = execFileSync('git', ['config', '-f', path, '-z', '--get-all', `url.${name}.x`], {
          encoding: 'utf8',
        });
        expect(output).toBe(values.map((value) => `${value}\0`).join(''));
      }),
      { numRuns: 60 },
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});
