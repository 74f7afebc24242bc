import { describe, expect, test } from 'vitest';
import { blankJob } from '../engine/pipeline-book.ts';
import { applyJobEvent, type JobEvent } from './job-transitions.ts';
import type { HandOut, JobRecord } from './records.ts';

const handOut: HandOut = {
  runnerId: 1,
  systemId: 's_1',
  at: 10,
  isTwoPhase: true,
  cancelsGracefully: true,
  acknowledgedAt: null,
  lastCallAt: null,
};

/** The job after several events; undefined as soon as one does not apply. */
function after(...events: readonly JobEvent[]): JobRecord | undefined {
  return events.reduce<JobRecord | undefined>(
    (job, event) => (job === undefined ? undefined : applyJobEvent(job, event)),
    blankJob(1, 0),
  );
}

const enqueue: JobEvent = { type: 'enqueue', at: 5 };
const take: JobEvent = { type: 'hand_out', handOut };
const acknowledge: JobEvent = { type: 'acknowledge', at: 20 };
const succeed: JobEvent = { type: 'succeed', at: 30 };
const fail: JobEvent = { type: 'fail', at: 30, reason: 'script_failure', exitCode: 2 };
const cancel: JobEvent = { type: 'cancel', at: 25 };
const abort: JobEvent = { type: 'abort', at: 25 };
const handBack: JobEvent = { type: 'hand_back', at: 15, token: 'new' };

describe('applyJobEvent', () => {
  test('the usual way', () => {
    expect(after(enqueue)).toMatchObject({ status: 'pending', pendingAt: 5 });
    expect(after(enqueue, take)).toMatchObject({ status: 'pending', startedAt: null, handOut: { runnerId: 1 } });
    expect(after(enqueue, take, acknowledge)).toMatchObject({
      status: 'running',
      startedAt: 20,
      handOut: { acknowledgedAt: 20, lastCallAt: 20 },
    });
    expect(after(enqueue, take, acknowledge, succeed)).toMatchObject({ status: 'success', finishedAt: 30 });
    expect(after(enqueue, take, acknowledge, fail)).toMatchObject({
      status: 'failed',
      failureReason: 'script_failure',
      exitCode: 2,
    });
  });

  test('runs at once for a runner without two-phase commit', () => {
    const job = after(enqueue, { type: 'hand_out', handOut: { ...handOut, isTwoPhase: false } });
    expect(job).toMatchObject({ status: 'running', startedAt: 10 });
  });

  test('is handed out only once', () => {
    expect(after(take)).toBeUndefined();
    expect(after(enqueue, take, take)).toBeUndefined();
  });

  test('goes back only while nobody called', () => {
    expect(after(enqueue, take, handBack)).toMatchObject({ status: 'pending', token: 'new', handOut: null });
    expect(after(enqueue, take, { type: 'call', at: 12 }, handBack)).toBeUndefined();
    expect(after(enqueue, handBack)).toBeUndefined();
  });

  test('any call of its runner shows that it runs', () => {
    expect(after(enqueue, take, { type: 'call', at: 12 })).toMatchObject({
      status: 'running',
      handOut: { acknowledgedAt: null, lastCallAt: 12 },
    });
    expect(after(enqueue, { type: 'call', at: 12 })).toBeUndefined();
  });

  test('cancel asks a graceful runner, and takes the job from any other', () => {
    expect(after(enqueue, take, acknowledge, cancel)?.status).toBe('canceling');
    expect(after(enqueue, take, acknowledge, cancel, cancel)).toBeUndefined();
    expect(after(enqueue, take, acknowledge, cancel, fail)).toMatchObject({ status: 'canceled', failureReason: null });
    expect(after(enqueue, take, acknowledge, cancel, succeed)?.status).toBe('canceled');
    expect(after(enqueue, take, cancel)?.status).toBe('canceled');
    expect(after(cancel)?.status).toBe('canceled');
    const rude = { type: 'hand_out', handOut: { ...handOut, cancelsGracefully: false } } as const;
    expect(after(enqueue, rude, acknowledge, cancel)?.status).toBe('canceled');
  });

  test('abort ends everything that is not over', () => {
    expect(after(enqueue, take, acknowledge, cancel, abort)?.status).toBe('canceled');
    expect(after(enqueue, take, acknowledge, succeed, abort)).toBeUndefined();
  });

  test('drop fails a job, but not one that is being canceled', () => {
    const drop: JobEvent = { type: 'drop', at: 40, reason: 'trace_size_exceeded' };
    expect(after(enqueue, drop)).toMatchObject({ status: 'failed', failureReason: 'trace_size_exceeded' });
    expect(after(enqueue, take, acknowledge, cancel, drop)?.status).toBe('canceled');
  });

  test('nothing comes after the end', () => {
    for (const event of [enqueue, take, acknowledge, succeed, fail, cancel, abort, handBack]) {
      expect(after(enqueue, take, acknowledge, succeed, event)).toBeUndefined();
    }
  });

  test('manual, delayed and skipped', () => {
    expect(after({ type: 'hold_for_hand' }, enqueue)?.status).toBe('pending');
    expect(after({ type: 'schedule', startAt: 99 })).toMatchObject({ status: 'scheduled', scheduledFor: 99 });
    expect(after({ type: 'skip', at: 1 }, { type: 'reset' })).toMatchObject({ status: 'created', finishedAt: null });
    expect(after({ type: 'wait_for_resource' }, enqueue)?.status).toBe('pending');
    expect(after({ type: 'skip', at: 1 }, enqueue)).toBeUndefined();
  });
});
