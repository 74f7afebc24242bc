import { describe, expect, it } from 'vitest';
import { createJobLog } from './job-log.ts';

function written(action: (log: ReturnType<typeof createJobLog>) => void): string {
  let text = '';
  action(
    createJobLog((line) => {
      text += line;
    }),
  );
  return text;
}

describe('the log of helper commands', () => {
  it.each([
    ['info', '', ''],
    ['warn', '\u001B[0;33m', 'WARNING: '],
    ['error', '\u001B[31;1m', 'ERROR: '],
    ['fatal', '\u001B[31;1m', 'FATAL: '],
  ] as const)('writes %s lines padded to 50 columns', (level, color, prefix) => {
    const text = written((log) => log[level]('message'));
    expect(text).toBe(`${color}${`${prefix}message`.padEnd(50)}\u001B[0;m \n`);
  });

  it('adds fields sorted by name', () => {
    const text = written((log) => log.child({ z: 1 }).warn('m', { a: 'x y', gone: undefined }));
    expect(text).toBe(
      `\u001B[0;33m${'WARNING: m'.padEnd(50)}\u001B[0;m  \u001B[0;33ma\u001B[0;m=x y \u001B[0;33mz\u001B[0;m=1\n`,
    );
  });

  it('never cuts a long message and counts characters, not bytes', () => {
    expect(written((log) => log.info('x'.repeat(60)))).toBe(`${'x'.repeat(60)}\u001B[0;m \n`);
    expect(written((log) => log.info('é'.repeat(40)))).toBe(`${'é'.repeat(40)}${' '.repeat(10)}\u001B[0;m \n`);
  });

  it('keeps debug lines to itself', () => {
    expect(written((log) => log.debug('x'))).toBe('');
  });
});
