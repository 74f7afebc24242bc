import { describe, expect, test } from 'vitest';
import { abortReasonOf } from '../lib/abort.ts';
import { BuildSignals } from './build-signals.ts';

function recorded() {
  const stops: string[] = [];
  return { stops, signals: new BuildSignals((scope, reason) => stops.push(`${scope}:${reason.kind}`)) };
}

describe('BuildSignals', () => {
  test('a cancel before the script phase stops the job', () => {
    const { stops, signals } = recorded();
    signals.cancel();
    signals.cancel();
    expect(stops).toEqual(['job:canceled']);
    expect(signals.job.aborted).toBe(true);
  });

  test('a cancel in the script phase stops the script only', () => {
    const { stops, signals } = recorded();
    signals.enterPhase('script');
    signals.cancel();
    expect(stops).toEqual(['script:canceled']);
    expect(signals.job.aborted).toBe(false);
    expect(signals.script.aborted).toBe(true);
  });

  test('a cancel after the script phase does nothing', () => {
    const { stops, signals } = recorded();
    signals.enterPhase('after_script');
    signals.cancel();
    expect(stops).toEqual([]);
  });

  test('the first reason wins', () => {
    const { stops, signals } = recorded();
    signals.stopJob('job_timeout', 'time');
    signals.stopJob('aborted', 'late');
    expect(stops).toEqual(['job:job_timeout']);
    expect(abortReasonOf(signals.script).kind).toBe('job_timeout');
  });

  test('recorded stops are applied without being recorded again', () => {
    const { stops, signals } = recorded();
    signals.apply([{ type: 'stopped', scope: 'script', reason: 'canceled', message: 'canceled' }]);
    expect(stops).toEqual([]);
    expect(abortReasonOf(signals.script).kind).toBe('canceled');
  });
});
