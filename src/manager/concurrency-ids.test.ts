import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createConcurrencyIdAllocator, type TakenIds } from './concurrency-ids.ts';

describe('createConcurrencyIdAllocator', () => {
  it('counts per runner, and per runner and project', () => {
    const ids = createConcurrencyIdAllocator();
    expect(ids.take('a', 1)).toMatchObject({ concurrentId: 0, concurrentProjectId: 0 });
    expect(ids.take('a', 2)).toMatchObject({ concurrentId: 1, concurrentProjectId: 0 });
    expect(ids.take('a', 1)).toMatchObject({ concurrentId: 2, concurrentProjectId: 1 });
    expect(ids.take('b', 1)).toMatchObject({ concurrentId: 0, concurrentProjectId: 0 });
  });

  it('takes the smallest number that was given back, once', () => {
    const ids = createConcurrencyIdAllocator();
    const first = ids.take('a', 1);
    ids.take('a', 1);
    first.release();
    first.release();
    expect(ids.take('a', 1).concurrentId).toBe(0);
    expect(ids.take('a', 1).concurrentId).toBe(2);
  });

  it('leaves out numbers that jobs of an earlier manager have, also when two claim the same', () => {
    const ids = createConcurrencyIdAllocator();
    const one = ids.reserve('a', 1, { concurrentId: 0, concurrentProjectId: 1 });
    const two = ids.reserve('a', 1, { concurrentId: 0, concurrentProjectId: 1 });
    expect(ids.take('a', 1)).toMatchObject({ concurrentId: 1, concurrentProjectId: 0 });
    one.release();
    expect(ids.take('a', 1)).toMatchObject({ concurrentId: 2, concurrentProjectId: 2 });
    two.release();
    expect(ids.take('a', 1)).toMatchObject({ concurrentId: 0, concurrentProjectId: 1 });
  });

  it('leaves out numbers that other managers have, and gives back each of ours once', () => {
    const others = new Set(['a:0', 'a/1:0', 'a/1:1']);
    const released: string[] = [];
    const nameOf = (token: string, project: number | undefined, number: number): string =>
      `${project === undefined ? token : `${token}/${project}`}:${number}`;
    const ids = createConcurrencyIdAllocator({
      claim: (...name) => !others.has(nameOf(...name)),
      release: (...name) => released.push(nameOf(...name)),
    });
    const taken = ids.take('a', 1);
    expect(taken).toMatchObject({ concurrentId: 1, concurrentProjectId: 2 });
    expect(ids.take('a', 2)).toMatchObject({ concurrentId: 2, concurrentProjectId: 0 });
    taken.release();
    taken.release();
    expect(released).toEqual(['a:1', 'a/1:2']);
  });

  it('never gives a number to two jobs at once', () => {
    const step = fc.record({ project: fc.integer({ min: 1, max: 3 }), release: fc.boolean(), pick: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const ids = createConcurrencyIdAllocator();
        const held: { project: number; taken: TakenIds }[] = [];
        for (const { project, release, pick } of steps) {
          if (release && held.length > 0) held.splice(pick % held.length, 1)[0]?.taken.release();
          else held.push({ project, taken: ids.take('t', project) });
          const all = held.map(({ taken }) => taken.concurrentId);
          const perProject = held.map(({ project: of, taken }) => `${of}/${taken.concurrentProjectId}`);
          expect(new Set(all).size).toBe(held.length);
          expect(new Set(perProject).size).toBe(held.length);
        }
      }),
    );
  });
});
