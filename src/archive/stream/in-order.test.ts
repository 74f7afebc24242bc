import { describe, expect, it } from 'vitest';
import { AbortReason } from '../../lib/abort.ts';
import { inOrder, type Step } from './in-order.ts';

const { signal } = new AbortController();

type Action<T> = Omit<Step<T>, 'weight'>;

function* weighing<T>(steps: Iterable<Action<T>>): Generator<Step<T>> {
  for (const { run } of steps) yield { run, weight: 1 };
}

async function collect<T>(steps: Iterable<Action<T>>, ahead: number, count = 100): Promise<T[]> {
  const results: T[] = [];
  for await (const result of inOrder(weighing(steps), { weight: ahead, count }, signal)) results.push(result);
  return results;
}

describe('inOrder', () => {
  it('gives results in order, whichever is ready first', async () => {
    const releases: (() => void)[] = [];
    const steps = [0, 1, 2, 3].map((value) => ({
      run: () =>
        value === 3
          ? 3
          : new Promise<number>((resolve) => {
              releases[value] = () => resolve(value);
              // The first three are there: let them end from last to first.
              if (releases.filter(Boolean).length === 3) for (const release of [...releases].reverse()) release();
            }),
    }));
    expect(await collect(steps, 3)).toEqual([0, 1, 2, 3]);
  });

  it('runs no more steps ahead than it may', async () => {
    let running = 0;
    let most = 0;
    const steps = Array.from({ length: 20 }, () => ({
      run: async () => {
        running += 1;
        most = Math.max(most, running);
        await Promise.resolve();
        running -= 1;
      },
    }));
    await collect(steps, 4);
    expect(most).toBe(4);
    most = 0;
    await collect(steps, 100, 3);
    expect(most).toBe(3);
    await collect(steps, 0);
  });

  it('fails with the first failure in order and waits for what was started', async () => {
    let isDone = false;
    let isReturned = false;
    function* steps(): Generator<Action<number>> {
      try {
        yield { run: () => Promise.reject(new Error('first')) };
        yield {
          run: async () => {
            await new Promise((resolve) => {
              setImmediate(resolve);
            });
            isDone = true;
            return 1;
          },
        };
        yield { run: () => 2 };
      } finally {
        isReturned = true;
      }
    }
    await expect(collect(steps(), 2)).rejects.toThrow('first');
    expect([isDone, isReturned]).toEqual([true, true]);
  });

  it('stops when told to', async () => {
    const controller = new AbortController();
    const results = inOrder(weighing([{ run: () => 1 }, { run: () => 2 }]), { weight: 1, count: 1 }, controller.signal);
    expect((await results.next()).value).toBe(1);
    controller.abort(new AbortReason('canceled'));
    await expect(results.next()).rejects.toThrow('canceled');
  });
});
