import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEnvFile } from './env-file.ts';

/** As the manager writes it. */
function write(variables: Record<string, string>): string {
  const escape = (value: string): string =>
    value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return Object.entries(variables)
    .map(([key, value]) => `${key}="${escape(value)}"\n`)
    .join('');
}

describe('parseEnvFile', () => {
  it('reads back what the manager writes, whatever the value', () => {
    const key = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,10}$/).filter((name) => name !== '__proto__');
    fc.assert(
      fc.property(fc.dictionary(key, fc.string({ unit: 'binary' })), (variables) => {
        expect(parseEnvFile(write(variables))).toEqual({ ...variables });
      }),
    );
  });

  it('takes other forms of such files', () => {
    const text = '# comment\nA=plain # c\nexport B=\'single $x\'\n  C = "x\\\\y\\"z"\nnot a line\nD=\n';
    expect(parseEnvFile(text)).toEqual({ A: 'plain', B: 'single $x', C: 'x\\y"z', D: '' });
  });
});
