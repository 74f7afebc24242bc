import { describe, expect, test } from 'vitest';
import { readHistory } from './history.ts';

const snapshot = (storedBytes: number, managerWrites: number) => ({ storedBytes, managerWrites, layers: null });

describe('readHistory', () => {
  test('of nothing is a job that has not begun', () => {
    expect(readHistory([])).toMatchObject({ isAcknowledged: false, trace: undefined, result: undefined, stops: [] });
  });

  test('keeps the last position of trace and running stage together', () => {
    const history = readHistory([
      { type: 'acknowledged' },
      { type: 'clockStarted', atMs: 100 },
      { type: 'environment', handle: { pid: 1 } },
      { type: 'prepared', trace: snapshot(10, 3) },
      { type: 'stageEnded', run: 0, end: { kind: 'exit', code: 0, text: '' }, trace: snapshot(20, 5) },
      { type: 'stageStarted', run: 1, stage: 'step_script', atMs: 200 },
      { type: 'stageHandle', run: 1, handle: { pid: 2 } },
      { type: 'checkpoint', trace: snapshot(25, 6), run: 1, cursor: 7 },
      { type: 'stopped', scope: 'script', reason: 'canceled', message: 'canceled' },
    ]);
    expect(history).toMatchObject({
      isAcknowledged: true,
      clockStartedAtMs: 100,
      environment: { pid: 1 },
      preparedAtWrites: 3,
      trace: { storedBytes: 25 },
      cursor: { run: 1, value: 7 },
    });
    expect(history.stages.get(0)?.end).toEqual({ kind: 'exit', code: 0, text: '' });
    expect(history.stages.get(1)).toEqual({
      stage: 'step_script',
      startedAtMs: 200,
      handle: { pid: 2 },
      end: undefined,
    });
    expect(history.stops).toHaveLength(1);
  });

  test('forgets the cursor of a stage that ended', () => {
    const history = readHistory([
      { type: 'stageStarted', run: 0, stage: 'step_script', atMs: 1 },
      { type: 'checkpoint', trace: snapshot(5, 1), run: 0, cursor: 7 },
      { type: 'stageEnded', run: 0, end: { kind: 'exit', code: 1, text: 'exit status 1' }, trace: snapshot(9, 1) },
    ]);
    expect(history.cursor).toBeUndefined();
    expect(history.trace?.storedBytes).toBe(9);
  });
});
