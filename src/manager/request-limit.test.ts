import { describe, expect, it } from 'vitest';
import { createRequestLimit } from './request-limit.ts';

describe('createRequestLimit', () => {
  it('grows with jobs up to the ceiling and falls when pushed back', () => {
    const limit = createRequestLimit(3, true);
    expect(limit.current).toBe(1);
    limit.observe('job');
    expect(limit.current).toBe(2);
    for (let n = 0; n < 30; n += 1) limit.observe('job');
    expect(limit.current).toBe(3);
    limit.observe('pushed_back');
    expect(limit.current).toBe(2);
    limit.observe('pushed_back');
    expect(limit.current).toBe(1);
    for (let n = 0; n < 30; n += 1) limit.observe('no_job');
    expect(limit.current).toBe(1);
  });

  it('is the ceiling when it does not adapt', () => {
    const limit = createRequestLimit(3, false);
    limit.observe('pushed_back');
    expect(limit.current).toBe(3);
  });
});
