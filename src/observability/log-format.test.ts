import { describe, expect, it } from 'vitest';
import { formatLogLine, type LogLine, parseLogFormat, parseLogLevel } from './log-format.ts';

const line: LogLine = {
  level: 'warning',
  message: 'Something odd',
  time: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  fields: { runner: 'abc', builds: 1, path: '/a b' },
};
const startedAt = line.time - 12_345;
const plain = { isTerminal: false, startedAt };
const terminal = { isTerminal: true, startedAt };

describe('formatLogLine', () => {
  it('runner: padded message, sorted fields, colours only on a terminal', () => {
    expect(formatLogLine(line, { format: 'runner', ...plain })).toBe(
      `${'WARNING: Something odd'.padEnd(50)}  builds=1 path=/a b runner=abc\n`,
    );
    expect(formatLogLine({ ...line, fields: { a: 1 } }, { format: 'runner', ...terminal })).toBe(
      `\x1b[0;33m${'WARNING: Something odd'.padEnd(50)}\x1b[0;m  \x1b[0;33ma\x1b[0;m=1\n`,
    );
  });

  it('runner: no prefix for info', () => {
    const info: LogLine = { ...line, level: 'info', fields: {} };
    expect(formatLogLine(info, { format: 'runner', ...plain })).toBe(`${'Something odd'.padEnd(50)} \n`);
  });

  it('text: quoted where needed', () => {
    expect(formatLogLine(line, { format: 'text', ...plain })).toBe(
      'time="2026-01-02T03:04:05.678Z" level=warning msg="Something odd" builds=1 path="/a b" runner=abc\n',
    );
  });

  it('text on a terminal: level, seconds since the start', () => {
    expect(formatLogLine({ ...line, fields: { a: 1 } }, { format: 'text', ...terminal })).toBe(
      `\x1b[33mWARN\x1b[0m[0012] ${'Something odd'.padEnd(44)} \x1b[33ma\x1b[0m=1\n`,
    );
  });

  it('json: one object', () => {
    expect(JSON.parse(formatLogLine(line, { format: 'json', ...plain }))).toEqual({
      runner: 'abc',
      builds: 1,
      path: '/a b',
      level: 'warning',
      msg: 'Something odd',
      time: '2026-01-02T03:04:05.678Z',
    });
  });
});

describe('names', () => {
  it.each([
    ['warn', 'warning'],
    ['WARNING', 'warning'],
    ['Debug', 'debug'],
    ['panic', 'panic'],
    ['loud', undefined],
  ])('level %s', (text, level) => {
    expect(parseLogLevel(text)).toBe(level);
  });

  it('formats are exact', () => {
    expect(parseLogFormat('json')).toBe('json');
    expect(parseLogFormat('JSON')).toBeUndefined();
  });
});
