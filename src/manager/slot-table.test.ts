import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { AbortReason } from '../lib/abort.ts';
import { createSlotTable, type Reservation } from './slot-table.ts';

const never = new AbortController().signal;

function create(capacity: number) {
  return createSlotTable(capacity, { now: () => Date.now() });
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  // A settled promise wins against one that is settled later.
  return (await Promise.race([promise, Promise.resolve().then(() => pending)])) === pending;
}

describe('createSlotTable', () => {
  it('gives slots in the order of asking', async () => {
    const slots = create(1);
    const first = await slots.reserve('a', never);
    const order: string[] = [];
    const waiting = ['b', 'c'].map(async (runner) => {
      const reservation = await slots.reserve(runner, never);
      order.push(runner);
      reservation.release();
    });
    expect(slots.tryReserve('d')).toBeUndefined();
    first.release();
    await Promise.all(waiting);
    expect(order).toEqual(['b', 'c']);
    expect(slots.tryReserve('d')).toBeDefined();
  });

  it('gives a slot back once however often it is released', async () => {
    const slots = create(1);
    const first = await slots.reserve('a', never);
    first.release();
    first.release();
    expect(slots.tryReserve('b')).toBeDefined();
    expect(slots.tryReserve('c')).toBeUndefined();
  });

  it('forgets a waiting runner whose signal is aborted', async () => {
    const slots = create(1);
    const first = await slots.reserve('a', never);
    const controller = new AbortController();
    const waiting = slots.reserve('b', controller.signal);
    controller.abort(new AbortReason('finished'));
    await expect(waiting).rejects.toMatchObject({ kind: 'finished' });
    first.release();
    expect(slots.tryReserve('c')).toBeDefined();
  });

  it('takes the slot from a request whose grace is over, when another runner waits', async () => {
    vi.useFakeTimers();
    try {
      const slots = create(1);
      const first = await slots.reserve('a', never);
      first.preemptAfter(3000);
      vi.advanceTimersByTime(5000);
      expect(first.signal.aborted).toBe(false);
      first.preemptAfter(3000);
      const waiting = slots.reserve('b', never);
      vi.advanceTimersByTime(2999);
      expect(first.signal.aborted).toBe(false);
      vi.advanceTimersByTime(1);
      expect(first.signal.aborted).toBe(true);
      expect(first.wasPreempted).toBe(true);
      first.release();
      await waiting;
    } finally {
      vi.useRealTimers();
    }
  });

  it('leaves a request its slot when only its own runner waits for one', async () => {
    const slots = create(2);
    const [one, two] = [await slots.reserve('a', never), await slots.reserve('b', never)];
    one.preemptAfter(-2);
    two.preemptAfter(-1);
    void slots.reserve('a', never);
    expect([one.wasPreempted, two.wasPreempted]).toEqual([false, true]);
    void slots.reserve('a', never);
    expect(one.wasPreempted).toBe(false);
  });

  it('takes only as many slots as runners wait, the longest held first', async () => {
    const slots = create(2);
    const [one, two] = [await slots.reserve('a', never), await slots.reserve('b', never)];
    two.preemptAfter(-1);
    one.preemptAfter(-2);
    const waiting = slots.reserve('c', never);
    expect([one.wasPreempted, two.wasPreempted]).toEqual([true, false]);
    one.release();
    await waiting;
    expect(two.wasPreempted).toBe(false);
  });

  it('never takes the slot of a job, and looks for another one when a job came just then', async () => {
    const slots = create(2);
    const [one, two] = [await slots.reserve('a', never), await slots.reserve('b', never)];
    one.preemptAfter(-2);
    two.preemptAfter(-1);
    const waiting = slots.reserve('c', never);
    expect(two.wasPreempted).toBe(false);
    one.keep();
    expect(two.wasPreempted).toBe(true);
    two.release();
    await waiting;
    slots.abortRequests(new AbortReason('finished'));
    expect(await isPending(slots.reserve('d', never))).toBe(true);
  });

  it('lets a request be held only while every other runner could have a slot', async () => {
    const slots = create(2);
    for (const runner of ['a', 'b', 'c']) slots.setInterested(runner, true);
    const first = await slots.reserve('a', never);
    expect(slots.mayHold('a')).toBe(false);
    slots.setInterested('c', false);
    expect(slots.mayHold('a')).toBe(true);
    const second = await slots.reserve('b', never);
    expect(slots.mayHold('b')).toBe(true);
    void slots.reserve('c', never);
    expect(slots.mayHold('b')).toBe(false);
    first.release();
    second.release();
  });

  it('counts jobs of an earlier manager even beyond the limit', async () => {
    const slots = create(1);
    const releases = [slots.occupy(), slots.occupy()];
    const waiting = slots.reserve('a', never);
    releases[0]?.();
    expect(await isPending(waiting)).toBe(true);
    releases[1]?.();
    await waiting;
  });

  it('never gives more slots than there are', async () => {
    const steps = fc.array(fc.record({ release: fc.boolean(), pick: fc.nat(), grace: fc.boolean() }), {
      maxLength: 50,
    });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), steps, async (capacity, actions) => {
        const slots = create(capacity);
        const held: Reservation[] = [];
        for (const [index, { release, pick, grace }] of actions.entries()) {
          if (release) held.splice(pick % Math.max(1, held.length), 1)[0]?.release();
          else void slots.reserve(`r${index}`, never).then((reservation) => held.push(reservation));
          await Promise.resolve();
          await Promise.resolve();
          if (grace) held[0]?.preemptAfter(-1);
          expect(held.length).toBeLessThanOrEqual(capacity);
        }
      }),
    );
  });
});
