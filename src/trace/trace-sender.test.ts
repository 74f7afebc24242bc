import { describe, expect, it } from 'vitest';
import { AbortReason } from '../lib/abort.ts';
import { FakeDestination } from './testing/fake-destination.ts';
import { ManualClock } from './testing/manual-clock.ts';
import { TraceSender, type TraceSenderOptions } from './trace-sender.ts';

const MIB = 1024 * 1024;

function setUp(options: Partial<TraceSenderOptions> = {}) {
  const clock = new ManualClock();
  const destination = new FakeDestination();
  const events: string[] = [];
  const trace = {
    content: Buffer.alloc(0),
    storedBytes: 0,
    get checksum() {
      return `crc of ${this.storedBytes}`;
    },
    read: async (offset: number, length: number) => trace.content.subarray(offset, offset + length),
    write: (text: string) => {
      trace.content = Buffer.concat([trace.content, Buffer.from(text)]);
      trace.storedBytes = trace.content.length;
    },
  };
  const sender = new TraceSender({
    trace,
    destination,
    clock,
    beforeSend: () => events.push(`durable ${trace.storedBytes}`),
    onCancel: () => events.push('cancel'),
    onAbort: () => events.push('abort'),
    ...options,
  });
  const stop = new AbortController();
  return { clock, destination, events, trace, sender, stop, start: () => sender.start(stop.signal) };
}

/** Lets the event loop turn until something holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Lets one update happen: wakes the loop and waits until it sleeps again. */
async function tick(clock: ManualClock): Promise<number> {
  const ms = await clock.wakeNext();
  await clock.sleeping();
  return ms;
}

describe('TraceSender while the job runs', () => {
  it('sends what is new each interval, durable before it is sent', async () => {
    const { clock, destination, events, trace, start, sender } = setUp();
    start();
    trace.write('hello ');
    expect(await tick(clock)).toBe(3000);
    expect(destination.history).toEqual(['patch 0+6']);
    trace.write('world');
    await tick(clock);
    await tick(clock);
    expect(destination.history).toEqual(['patch 0+6', 'patch 6+5']);
    expect(destination.stored.toString()).toBe('hello world');
    expect(events).toEqual(['durable 6', 'durable 11']);
    sender.discard();
  });

  it('speaks soon, and ever less often, to a server that may not know that the job runs, until it answers', async () => {
    const { clock, destination, start, sender } = setUp();
    sender.speakSoon();
    start();
    destination.answer = () => (destination.requests.length < 3 ? { state: 'failed' } : undefined);
    expect([await tick(clock), await tick(clock), await tick(clock), await tick(clock)]).toEqual([
      250, 500, 1000, 3000,
    ]);
    expect(destination.history).toEqual(['update running', 'update running', 'update running']);
    sender.discard();
  });

  it('sends only what was stored when the checkpoint was made', async () => {
    const { clock, destination, trace, start, sender } = setUp({
      beforeSend: () => {
        trace.storedBytes = 4;
      },
    });
    trace.write('12345678');
    start();
    await tick(clock);
    expect(destination.history).toEqual(['patch 0+4']);
    sender.discard();
  });

  it('sends nothing while the checkpoint fails, and then everything', async () => {
    let isFull = true;
    const { clock, destination, trace, start, sender } = setUp({
      beforeSend: () => {
        if (isFull) throw new Error('disk full');
      },
    });
    trace.write('text');
    start();
    await tick(clock);
    expect(destination.history).toEqual([]);
    isFull = false;
    await tick(clock);
    expect(destination.history).toEqual(['patch 0+4']);
    sender.discard();
  });

  it('sends a flood at once, and less than that at the next interval', async () => {
    const { clock, destination, trace, start, sender } = setUp();
    start();
    await clock.sleeping();
    trace.write('x'.repeat(8 * MIB - 1));
    sender.outputCame();
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(destination.history).toEqual([]);
    trace.write('y');
    sender.outputCame();
    await until(() => trace.storedBytes === sender.sentBytes);
    expect(destination.history).toHaveLength(8);
    expect(await clock.sleeping()).toBe(3000);
    sender.discard();
  });

  it('leaves a server alone that did not take a flood, until the next interval', async () => {
    const { clock, destination, trace, start, sender } = setUp();
    start();
    destination.answer = () => ({ state: 'failed' });
    trace.write('x'.repeat(9 * MIB));
    sender.outputCame();
    await until(() => destination.history.length === 1);
    await clock.sleeping();
    sender.outputCame();
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(destination.history).toHaveLength(1);
    sender.discard();
  });

  it('sends all waiting chunks in one interval, one request at a time', async () => {
    const { clock, destination, trace, start, sender } = setUp();
    trace.write('x'.repeat(2 * MIB + 100));
    start();
    destination.answer = (request) => {
      if (request.kind === 'patch' && request.start === 0) trace.write('y'.repeat(2 * MIB));
      return undefined;
    };
    await tick(clock);
    expect(destination.history).toEqual([
      `patch 0+${MIB}`,
      `patch ${MIB}+${MIB}`,
      `patch ${2 * MIB}+${MIB}`,
      `patch ${3 * MIB}+${MIB}`,
    ]);
    expect(destination.mostUnderWay).toBe(1);
    await tick(clock);
    expect(destination.history.at(-1)).toBe(`patch ${4 * MIB}+100`);
    sender.discard();
  });

  it('touches at once when there is no output, and then after the force-send interval', async () => {
    const { clock, destination, trace, start, sender } = setUp();
    start();
    await tick(clock);
    expect(destination.requests).toEqual([
      { kind: 'update', state: 'running', output: { checksum: 'crc of 0', sizeBytes: 0 } },
    ]);
    for (let count = 0; count < 10; count++) await tick(clock);
    expect(destination.requests).toHaveLength(1);
    await tick(clock);
    expect(destination.requests).toHaveLength(2);
    trace.write('x');
    await tick(clock);
    expect(destination.history).toEqual(['update running', 'update running', 'patch 0+1']);
    sender.discard();
  });

  it('repeats a failed touch at the next update', async () => {
    const { clock, destination, start, sender } = setUp();
    destination.answer = () => ({ state: 'failed' });
    start();
    await tick(clock);
    await tick(clock);
    expect(destination.history).toEqual(['update running', 'update running']);
    sender.discard();
  });

  it('follows the interval that the server names, up to 15 minutes', async () => {
    const { clock, destination, trace, start, sender } = setUp();
    trace.write('a');
    destination.answer = () => ({ state: 'ok', updateIntervalMs: 60_000 });
    start();
    await tick(clock);
    expect(await clock.sleeping()).toBe(60_000);
    destination.answer = () => ({ state: 'ok', updateIntervalMs: 3_600_000 });
    trace.write('b');
    await tick(clock);
    expect(await clock.sleeping()).toBe(900_000);
    sender.discard();
  });

  it('stretches the force-send interval with the interval when told to', async () => {
    const { clock, destination, start, sender } = setUp({ hasDynamicForceSendInterval: true });
    sender.takeInterval(60_000);
    start();
    for (let count = 0; count < 5; count++) expect(await tick(clock)).toBe(60_000);
    expect(destination.requests).toHaveLength(1);
    await tick(clock);
    expect(destination.requests).toHaveLength(2);
    sender.discard();
  });

  it('keeps bytes that the server did not take for the next update', async () => {
    const { clock, destination, trace, start, sender } = setUp();
    trace.write('abc');
    start();
    destination.answer = () => ({ state: 'failed' });
    await tick(clock);
    destination.answer = () => ({ state: 'not_found' });
    await tick(clock);
    destination.answer = () => new Error('a bug of the client');
    await tick(clock);
    destination.answer = () => undefined;
    await tick(clock);
    expect(destination.history).toEqual(['patch 0+3', 'patch 0+3', 'patch 0+3', 'patch 0+3']);
    expect(destination.stored.toString()).toBe('abc');
    sender.discard();
  });

  it('goes on where the server says after a range mismatch', async () => {
    const { clock, destination, trace, start, sender } = setUp({ sentBytes: 0 });
    destination.stored = Buffer.from('already');
    trace.write('already there');
    start();
    await tick(clock);
    await tick(clock);
    expect(destination.history).toEqual(['patch 0+13', 'patch 7+6']);
    expect(destination.stored.toString()).toBe('already there');
    sender.discard();
  });

  it('still shows life when the server claims more than there is', async () => {
    const { clock, destination, trace, start, sender } = setUp();
    trace.write('abc');
    destination.answer = (request) =>
      request.kind === 'patch' ? { state: 'range_mismatch', serverSize: 1000 } : undefined;
    start();
    await tick(clock);
    await tick(clock);
    expect(destination.history).toEqual(['patch 0+3', 'update running']);
    sender.discard();
  });

  it('asks to cancel once, whatever number of answers says so', async () => {
    const { clock, destination, events, trace, start, sender } = setUp({ beforeSend: () => {} });
    destination.answer = (request) => (request.kind === 'patch' ? { state: 'ok', cancelRequested: true } : undefined);
    start();
    trace.write('a');
    await tick(clock);
    trace.write('b');
    await tick(clock);
    expect(events).toEqual(['cancel']);
    expect(destination.requests).toHaveLength(2);
    sender.discard();
  });

  it.each(['patch', 'update'] as const)('aborts on the answer to a %s and sends nothing more', async (kind) => {
    const { clock, destination, events, trace, start, sender } = setUp({ beforeSend: () => {} });
    destination.answer = () => ({ state: 'aborted', cancelRequested: true });
    if (kind === 'patch') trace.write('a');
    start();
    await clock.wakeNext();
    await destination.received(1);
    trace.write('more');
    expect(await sender.finish({ state: 'failed', failureReason: 'job_canceled' })).toBe(true);
    expect(events).toEqual(['abort']);
    expect(clock.sleepers).toBe(0);
    const tail =
      kind === 'patch' ? ['patch 0+1', 'patch 0+5', 'update failed'] : ['update running', 'patch 0+4', 'update failed'];
    expect(destination.history).toEqual(tail);
  });

  it('stops with its signal', async () => {
    const { clock, stop, start, destination } = setUp();
    start();
    await clock.sleeping();
    stop.abort(new AbortReason('interrupted'));
    await Promise.resolve();
    expect(destination.requests).toEqual([]);
  });

  it('makes no call after it was discarded, and ends a request under way', async () => {
    const { clock, destination, trace, start, sender } = setUp();
    trace.write('a');
    destination.answer = () => new Promise(() => {});
    start();
    await clock.wakeNext();
    await destination.received(1);
    sender.discard();
    expect(await sender.finish({ state: 'success' })).toBe(false);
    expect(destination.history).toEqual(['patch 0+1']);
    expect(destination.underWay).toBe(0);
  });
});

describe('TraceSender at the end of the job', () => {
  it('sends the rest and the end without waiting for any update', async () => {
    const { clock, destination, trace, start, sender } = setUp();
    start();
    await clock.sleeping();
    trace.write('x'.repeat(MIB + 1));
    expect(await sender.finish({ state: 'success' })).toBe(true);
    expect(destination.history).toEqual([`patch 0+${MIB}`, `patch ${MIB}+1`, 'update success']);
    expect(destination.requests.at(-1)).toEqual({
      kind: 'update',
      state: 'success',
      output: { checksum: `crc of ${MIB + 1}`, sizeBytes: MIB + 1 },
    });
    expect(clock.sleepers).toBe(0);
  });

  it('waits for the request under way, so that there is never a second one', async () => {
    const { clock, destination, trace, start, sender } = setUp();
    trace.write('a');
    const gate = Promise.withResolvers<undefined>();
    destination.answer = (request) => (request.kind === 'patch' && request.start === 0 ? gate.promise : undefined);
    start();
    await clock.wakeNext();
    await destination.received(1);
    trace.write('b');
    const finished = sender.finish({ state: 'failed', failureReason: 'script_failure', exitCode: 3 });
    gate.resolve(undefined);
    expect(await finished).toBe(true);
    expect(destination.mostUnderWay).toBe(1);
    expect(destination.history).toEqual(['patch 0+1', 'patch 1+1', 'update failed']);
    expect(destination.requests.at(-1)).toMatchObject({ failureReason: 'script_failure', exitCode: 3 });
  });

  it('counts only the first call', async () => {
    const { destination, sender } = setUp();
    const first = sender.finish({ state: 'success' });
    expect(sender.finish({ state: 'failed' })).toBe(first);
    await first;
    expect(destination.history).toEqual(['update success']);
  });

  it('asks again while the server has not completed the trace', async () => {
    const { clock, destination, sender } = setUp();
    destination.answer = () => {
      if (destination.requests.length > 3) return undefined;
      return { state: 'accepted_not_completed', updateIntervalMs: 1000 * destination.requests.length };
    };
    const finished = sender.finish({ state: 'success', retryLimit: 1 });
    expect([await clock.wakeNext(), await clock.wakeNext(), await clock.wakeNext()]).toEqual([1000, 2000, 3000]);
    expect(await finished).toBe(true);
    expect(destination.history).toEqual(Array(4).fill('update success'));
  });

  it('sends the whole trace again when the server finds it invalid', async () => {
    const { clock, destination, trace, sender } = setUp();
    trace.write('abc');
    destination.answer = (request) => {
      if (request.kind === 'patch' || destination.requests.length > 2) return undefined;
      destination.stored = Buffer.alloc(0);
      return { state: 'trace_invalid' };
    };
    const finished = sender.finish({ state: 'success', retryLimit: 1 });
    expect(await clock.wakeNext()).toBe(3000);
    expect(await finished).toBe(true);
    expect(destination.history).toEqual(['patch 0+3', 'update success', 'patch 0+3', 'update success']);
  });

  it('goes on at the size the server names', async () => {
    const { clock, destination, trace, sender } = setUp();
    trace.write('abc');
    destination.stored = Buffer.from('ab');
    const finished = sender.finish({ state: 'success' });
    expect(await clock.wakeNext()).toBe(3000);
    expect(await finished).toBe(true);
    expect(destination.history).toEqual(['patch 0+3', 'patch 2+1', 'update success']);
  });

  it.each(['aborted', 'not_found'] as const)('tells the end also when a PATCH says %s', async (state) => {
    const { destination, trace, sender } = setUp();
    trace.write('abc');
    destination.answer = (request) => (request.kind === 'patch' ? { state } : undefined);
    expect(await sender.finish({ state: 'failed' })).toBe(true);
    expect(destination.history).toEqual(['patch 0+3', 'update failed']);
  });

  it('tells the end also when the trace cannot be read or made durable', async () => {
    const { destination, trace, sender } = setUp({
      beforeSend: () => {
        throw new Error('disk full');
      },
    });
    trace.write('abc');
    expect(await sender.finish({ state: 'failed' })).toBe(true);
    expect(destination.history).toEqual(['patch 0+3', 'update failed']);
    const unreadable = setUp();
    unreadable.trace.write('abc');
    unreadable.trace.read = () => Promise.reject(new Error('input/output error'));
    expect(await unreadable.sender.finish({ state: 'failed' })).toBe(true);
    expect(unreadable.destination.history).toEqual(['update failed']);
  });

  it('tries as often as told, waiting longer each time, then gives up', async () => {
    const { clock, destination, sender } = setUp();
    destination.answer = () => ({ state: 'failed' });
    const finished = sender.finish({ state: 'success', retryLimit: 4 });
    expect([await clock.wakeNext(), await clock.wakeNext(), await clock.wakeNext()]).toEqual([4000, 5000, 7000]);
    expect(await finished).toBe(false);
    expect(destination.requests).toHaveLength(4);
  });

  it('tries ten times by default, and a failing PATCH counts as a try', async () => {
    const { clock, destination, trace, sender } = setUp();
    trace.write('abc');
    destination.answer = (request) => (request.kind === 'patch' ? { state: 'failed' } : undefined);
    const finished = sender.finish({ state: 'success', retryLimit: 0 });
    for (let count = 0; count < 9; count++) await clock.wakeNext();
    expect(await finished).toBe(false);
    expect(destination.history).toEqual(Array(10).fill('patch 0+3'));
  });

  it('does not follow endless corrections of the offset', async () => {
    const { clock, destination, trace, sender } = setUp();
    trace.write('abc');
    destination.answer = (request) =>
      request.kind === 'patch' ? { state: 'range_mismatch', serverSize: 0 } : undefined;
    const finished = sender.finish({ state: 'success', retryLimit: 1 });
    for (let count = 0; count < 10; count++) await clock.wakeNext();
    expect(await finished).toBe(false);
  });

  it('ignores a request to cancel, and stops with its signal', async () => {
    const { clock, destination, events, sender } = setUp();
    const stop = new AbortController();
    destination.answer = () => ({ state: 'failed', cancelRequested: true });
    const finished = sender.finish({ state: 'success' }, stop.signal);
    await clock.sleeping();
    stop.abort(new AbortReason('interrupted'));
    await expect(finished).rejects.toMatchObject({ kind: 'interrupted' });
    expect(events).toEqual([]);
  });
});
