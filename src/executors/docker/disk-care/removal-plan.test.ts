import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planRemovals, type RemovableThing } from './removal-plan.ts';

function thing(name: string, sizeBytes: number, lastUsedMs: number): RemovableThing {
  return { kind: 'image', name, removeBy: [name], sizeBytes, lastUsedMs };
}

describe('planRemovals', () => {
  const things = [thing('new', 10, 3), thing('old', 10, 1), thing('middle', 10, 2)];

  it.each([
    [{ maxBytes: 30, minFreeBytes: undefined }, []],
    [{ maxBytes: 29, minFreeBytes: undefined }, ['old']],
    [{ maxBytes: 10, minFreeBytes: undefined }, ['old', 'middle']],
    [{ maxBytes: undefined, minFreeBytes: 105 }, ['old']],
    [{ maxBytes: 15, minFreeBytes: 105 }, ['old', 'middle']],
    [{ maxBytes: undefined, minFreeBytes: undefined }, []],
  ])('%j takes %j', (budget, names) => {
    expect(planRemovals(things, { usedBytes: 30, freeBytes: 100 }, budget).map(({ name }) => name)).toEqual(names);
  });

  it('takes nothing for free room that cannot be seen', () => {
    const budget = { maxBytes: undefined, minFreeBytes: 1e12 };
    expect(planRemovals(things, { usedBytes: 30, freeBytes: undefined }, budget)).toEqual([]);
  });

  it('keeps the budget where it can, and never takes one thing more than needed', () => {
    const some = fc.array(fc.record({ size: fc.nat(100), used: fc.nat(1000) }), { maxLength: 20 });
    fc.assert(
      fc.property(some, fc.nat(1000), (entries, maxBytes) => {
        const all = entries.map(({ size, used }, index) => thing(String(index), size, used));
        const total = all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
        const going = planRemovals(
          all,
          { usedBytes: total, freeBytes: undefined },
          { maxBytes, minFreeBytes: undefined },
        );
        const freed = going.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
        expect(total - freed).toBeLessThanOrEqual(maxBytes);
        const last = going.at(-1);
        if (last !== undefined) expect(total - freed + last.sizeBytes).toBeGreaterThan(maxBytes);
      }),
    );
  });
});
