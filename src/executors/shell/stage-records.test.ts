import { describe, expect, it } from 'vitest';
import { cursorValue, parseCursor, parseStageHandle, parseStatus, stageHandleValue } from './stage-records.ts';

describe('parseStatus', () => {
  it.each([
    ['0 exit\n', { code: 0, text: 'exit status 0' }],
    ['137 exit\n', { code: 137, text: 'exit status 137' }],
    ['137 signal\n', { code: -1, text: 'signal: killed' }],
    ['143 signal\n', { code: -1, text: 'signal: terminated' }],
    // The shell had something to say, but no signal ended its child.
    ['127 signal\n', { code: 127, text: 'exit status 127' }],
    ['192 signal\n', { code: -1, text: 'signal: signal 64' }],
  ])('reads %j', (text, status) => {
    expect(parseStatus(text)).toEqual(status);
  });

  it.each([undefined, '', '0', '0 exit', '1', ' exit\n', 'x exit\n'])('takes %j as not there', (text) => {
    expect(parseStatus(text)).toBeUndefined();
  });
});

describe('records', () => {
  it('come back as they went', () => {
    const cursor = { stdout: { segment: 3, offset: 17 }, stderr: { segment: 0, offset: 5 } };
    expect(parseCursor(cursorValue(cursor))).toEqual(cursor);
    expect(parseCursor(undefined).stdout).toEqual({ segment: 0, offset: 0 });
    const supervisor = { pid: 7, startTime: '99' };
    expect(parseStageHandle(stageHandleValue('boot', 'cookie', supervisor))).toEqual({
      bootId: 'boot',
      stageCookie: 'cookie',
      supervisor,
    });
    expect(parseStageHandle(stageHandleValue('boot', 'cookie')).supervisor).toBeUndefined();
  });

  it('are refused when damaged', () => {
    expect(() => parseCursor([1, 2, 3])).toThrow();
    expect(() => parseCursor([1, -2, 3, 4])).toThrow();
    expect(() => parseStageHandle({ bootId: 'x' })).toThrow();
  });
});
