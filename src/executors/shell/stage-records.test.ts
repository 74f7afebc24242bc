import { describe, expect, it } from 'vitest';
import { cursorValue, parseCursor, parseStageHandle, parseStatus, stageHandleValue } from './stage-records.ts';

describe('parseStatus', () => {
  it.each([
    ['0 end\n', { code: 0, text: 'exit status 0' }],
    ['137 end\n', { code: 137, text: 'exit status 137' }],
    ['Killed\n137 end\n', { code: -1, text: 'signal: killed' }],
    ['Terminated\n143 end\n', { code: -1, text: 'signal: terminated' }],
    // The shell had something to say, but no signal ended its child.
    ['137 end\n127 end\n', { code: 127, text: 'exit status 127' }],
    ['265 end\n', { code: -1, text: 'signal: killed' }],
    ['RT\n192 end\n', { code: -1, text: 'signal: signal 64' }],
  ])('reads %j', (text, exit) => {
    for (const [begun, hasBegun] of [
      ['', false],
      ['begun\n', true],
    ] as const) {
      expect(parseStatus(`${begun}${text}`)).toEqual({ hasBegun, exit, isDone: false });
      expect(parseStatus(`${begun}${text}done\n`)).toEqual({ hasBegun, exit, isDone: true });
    }
  });

  it.each([
    undefined,
    '',
    '0',
    '0 end',
    '1',
    ' end\n',
    'x end\n',
    'Killed\n',
    'done\n',
    '0 end\ndo',
    'begun',
    'not begun\n',
  ])('takes %j as not there', (text) => {
    expect(parseStatus(text)).toEqual({ hasBegun: false, exit: undefined, isDone: false });
    expect(parseStatus(`begun\n${text ?? ''}`)).toEqual({ hasBegun: true, exit: undefined, isDone: false });
  });
});

describe('records', () => {
  it('come back as they went', () => {
    const cursor = { stdout: { segment: 3, offset: 17 }, stderr: { segment: 0, offset: 5 } };
    expect(parseCursor(cursorValue(cursor))).toEqual(cursor);
    expect(parseCursor(undefined).stdout).toEqual({ segment: 0, offset: 0 });
    const supervisor = { pid: 7, startTime: '99' };
    const handle = { bootId: 'boot', stageCookie: 'cookie', supervisor };
    expect(parseStageHandle(stageHandleValue(handle))).toEqual(handle);
  });

  it('are refused when damaged', () => {
    expect(() => parseCursor([1, 2, 3])).toThrow();
    expect(() => parseCursor([1, -2, 3, 4])).toThrow();
    expect(() => parseStageHandle({ bootId: 'x' })).toThrow();
    // As an earlier version wrote it: who reads it cannot tell whether it began.
    expect(() => parseStageHandle({ bootId: 'x', stageCookie: 'y' })).toThrow();
  });
});
