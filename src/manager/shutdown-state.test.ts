import { describe, expect, it } from 'vitest';
import { transition } from './shutdown-state.ts';

describe('transition', () => {
  it.each([
    ['starting', 'started', 'running', 'none'],
    ['running', 'drain', 'graceful-shutdown', 'begin_drain'],
    ['starting', 'drain', 'graceful-shutdown', 'begin_drain'],
    ['graceful-shutdown', 'started', 'graceful-shutdown', 'none'],
    ['graceful-shutdown', 'drain', 'graceful-shutdown', 'repeat_drain'],
    ['graceful-shutdown', 'stop', 'forceful-shutdown', 'abort_jobs'],
    ['running', 'stop', 'forceful-shutdown', 'abort_jobs'],
    ['starting', 'stop', 'forceful-shutdown', 'abort_jobs'],
    ['forceful-shutdown', 'stop', 'stopped', 'exit_now'],
    ['forceful-shutdown', 'drain', 'stopped', 'exit_now'],
    ['running', 'finished', 'stopped', 'none'],
    ['stopped', 'stop', 'stopped', 'none'],
    ['stopped', 'drain', 'stopped', 'none'],
  ] as const)('%s + %s → %s, %s', (state, event, next, action) => {
    expect(transition(state, event)).toEqual({ state: next, action });
  });
});
