import { describe, expect, it } from 'vitest';
import { silentLogger } from '../observability/logger.ts';
import { createRunnerHealth } from './runner-health.ts';

function create() {
  let now = 1000;
  const messages: string[] = [];
  const logger = {
    ...silentLogger,
    warn: (message: string) => void messages.push(message),
    error: (message: string) => void messages.push(message),
  };
  const clock = { now: () => now, sleep: () => Promise.resolve() };
  const health = createRunnerHealth({ id: 'http://x/abc', limit: 3, intervalMs: 3_600_000, clock, logger });
  return { health, messages, advance: (ms: number) => (now += ms) };
}

describe('createRunnerHealth', () => {
  it('pauses after consecutive refusals only', () => {
    const { health } = create();
    health.unhealthy();
    health.unhealthy();
    health.healthy();
    health.unhealthy();
    health.unhealthy();
    expect(health.disabledUntil()).toBe(0);
    health.unhealthy();
    expect(health.disabledUntil()).toBe(1000 + 3_600_000);
  });

  it('counts the pause from the refusal that began it and starts afresh after it', () => {
    const { health, messages, advance } = create();
    health.unhealthy();
    health.unhealthy();
    advance(10_000_000);
    health.unhealthy();
    advance(3_599_999);
    expect(health.disabledUntil()).toBeGreaterThan(0);
    advance(1);
    expect(health.disabledUntil()).toBe(0);
    health.unhealthy();
    expect(health.disabledUntil()).toBe(0);
    expect(messages).toEqual([
      'Runner "http://x/abc" is unhealthy and will be disabled for 1h0m0s seconds!',
      'Runner "http://x/abc" is not healthy, but check for a new job will be forced!',
    ]);
  });
});
