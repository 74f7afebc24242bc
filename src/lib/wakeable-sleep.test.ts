import { describe, expect, it } from 'vitest';
import { ManualClock } from '../trace/testing/manual-clock.ts';
import { AbortReason } from './abort.ts';
import { WakeableSleep } from './wakeable-sleep.ts';

const never = new AbortController().signal;

describe('WakeableSleep', () => {
  it('lasts as long as it should', async () => {
    const clock = new ManualClock();
    const sleep = new WakeableSleep(clock);
    const sleeping = sleep.sleep(500, never);
    expect(await clock.wakeNext()).toBe(500);
    await sleeping;
  });

  it('ends when it is woken, and the next one is as long as ever', async () => {
    const clock = new ManualClock();
    const sleep = new WakeableSleep(clock);
    sleep.wake();
    const sleeping = sleep.sleep(500, never);
    sleep.wake();
    await sleeping;
    sleep.wake();
    const next = sleep.sleep(700, never);
    expect(await clock.wakeNext()).toBe(700);
    await next;
  });

  it('rejects with the reason of its signal', async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    const reason = new AbortReason('interrupted');
    const sleeping = new WakeableSleep(clock).sleep(500, stop.signal);
    stop.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    await expect(new WakeableSleep(clock).sleep(500, stop.signal)).rejects.toBe(reason);
    expect(clock.sleepers).toBe(0);
  });
});
