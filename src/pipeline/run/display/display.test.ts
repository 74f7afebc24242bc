import { expect, test } from 'vitest';
import { createLinePrefixer } from './line-prefixer.ts';
import { plainText, terminalText } from './plain-text.ts';
import { formatDuration, formatSummary } from './summary.ts';
import { formatTable } from './table.ts';

test('prefixes are aligned; colours only for a terminal', () => {
  const file = createLinePrefixer(['build', 'unit: [linux]'], false);
  expect(file('build', '\x1b[32mgreen\x1b[0m')).toBe('build         | green');
  expect(file('unit: [linux]', '')).toBe('unit: [linux] |');
  const terminal = createLinePrefixer(['build', 'unit'], true);
  expect(terminal('build', '\x1b[32mgreen')).toBe('\x1b[36mbuild |\x1b[0m \x1b[32mgreen\x1b[0m');
  expect(terminal('unit', 'plain')).toBe('\x1b[35munit  |\x1b[0m plain');
});

test('long names are cut', () => {
  const prefix = createLinePrefixer(['j'.repeat(80), 'b'], false);
  expect(prefix('j'.repeat(80), 'x')).toBe(`${'j'.repeat(35)}… | x`);
});

test('output cannot steer the terminal', () => {
  const evil = 'a\x1b[2Jb\x1b]0;title\x07c\x1b[1;31md\x1b[?25le\x1b(Bf\x9b2Jg\x00h\ti';
  expect(terminalText(evil)).toBe('abc\x1b[1;31mdef2Jgh\ti\x1b[0m');
  expect(plainText(evil)).toBe('abcdef2Jgh\ti');
});

test('the summary says why a job failed and what was covered', () => {
  const job = { stage: 'test', allowFailure: false, attempt: 1 };
  const table = formatSummary([
    { ...job, name: 'ok', status: 'success', durationSeconds: 0.42, coverage: 81.5 },
    {
      ...job,
      name: 'bad',
      status: 'failed',
      exitCode: 7,
      failureReason: 'script_failure',
      durationSeconds: 75,
      attempt: 2,
    },
    { ...job, name: 'lost', status: 'failed', failureReason: 'runner_system_failure', allowFailure: true },
    { ...job, name: 'later', status: 'manual' },
  ]);
  expect(table).toBe(
    [
      'JOB    STAGE  STATUS                                   DURATION  COVERAGE',
      'ok     test   success                                  0.4s      81.5%',
      'bad    test   failed (exit code 7, attempt 2)          1m 15s',
      'lost   test   failed (runner system failure, allowed)',
      'later  test   manual',
      '',
    ].join('\n'),
  );
});

test('durations and tables', () => {
  expect([0.04, 9.94, 59.6, 60, 3599.7, 7384].map(formatDuration)).toEqual([
    '0.0s',
    '9.9s',
    '1m 00s',
    '1m 00s',
    '1h 00m',
    '2h 03m',
  ]);
  expect(formatTable(['A', 'B'], [['größe', 'x']])).toBe('A      B\ngröße  x\n');
});
