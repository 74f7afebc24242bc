import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runnerOptions } from '../../src/commands/registration/runner-options.ts';

/** Key, option and variable of the Go runner, one a line; not made from our schema. */
const known = readFileSync(new URL('files/register-options.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => line.split('\t'));
const ours = runnerOptions();

describe('the options of register', () => {
  test.each(known)('%s is set by --%s and $%s', (key, flags, variable) => {
    const option = ours.find(({ path }) => path.join('.') === key);
    expect([option?.flags.join(','), option?.variable ?? '-']).toEqual([flags, variable]);
  });

  test('are no others but those of tables that the list leaves out', () => {
    const keys = new Set(known.map(([key]) => key));
    const others = ours.map(({ path }) => path.join('.')).filter((key) => !keys.has(key));
    expect(others.filter((key) => !/^kubernetes\.\w+_security_context\./.test(key))).toEqual(['custom_build_dir.enabled']);
    expect(new Set(ours.flatMap(({ flags }) => flags)).size).toBe(ours.flatMap(({ flags }) => flags).length);
  });
});
