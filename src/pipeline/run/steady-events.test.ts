import { expect, test } from 'vitest';
import type { PipelineEvent } from '../../coordinator/submission.ts';
import { ApiError, CommandError } from '../../lib/errors.ts';
import { steadyEvents } from './steady-events.ts';

const at = '2026-01-02T03:04:05Z';
const events: readonly PipelineEvent[] = [
  { type: 'pipeline', at, id: 1, status: 'running' },
  { type: 'job', at, id: 1, name: 'a', stage: 'test', status: 'running', allowFailure: false, attempt: 1 },
  { type: 'job', at, id: 1, name: 'a', stage: 'test', status: 'success', allowFailure: false, attempt: 1 },
  { type: 'pipeline', at, id: 1, status: 'success' },
];

/** Reads with a break (an error, or a silent end) after some events of each try; the last try goes to the end. */
function follow(breaks: readonly { readonly after: number; readonly error?: Error }[]) {
  const asked: number[] = [];
  const losses: string[] = [];
  const pauses: number[] = [];
  const stream = steadyEvents({
    read: async function* (from) {
      asked.push(from);
      const planned = breaks[asked.length - 1];
      yield* events.slice(from, planned === undefined ? undefined : from + planned.after);
      if (planned?.error !== undefined) throw planned.error;
    },
    pause: async (ms) => void pauses.push(ms),
    onLost: (message) => void losses.push(message),
  });
  return { stream, asked, losses, pauses };
}

async function all(stream: AsyncIterable<PipelineEvent>): Promise<readonly PipelineEvent[]> {
  const seen = [];
  for await (const event of stream) seen.push(event);
  return seen;
}

const lost = new ApiError('unreachable', 'cannot reach the coordinator');

test('an undisturbed stream is read once', async () => {
  const { stream, asked, losses } = follow([]);
  expect(await all(stream)).toEqual(events);
  expect([asked, losses]).toEqual([[0], []]);
});

test('after a loss it goes on behind the last event; a stopped coordinator is a loss too', async () => {
  const { stream, asked, losses } = follow([{ after: 1, error: lost }, { after: 0, error: lost }, { after: 2 }]);
  expect(await all(stream)).toEqual(events);
  expect(asked).toEqual([0, 1, 1, 3]);
  expect(losses).toEqual(['cannot reach the coordinator', 'the coordinator stopped before the pipeline was over']);
});

test('a coordinator that stays away ends it, after half a minute', async () => {
  const { stream, pauses } = follow(Array.from({ length: 20 }, () => ({ after: 0, error: lost })));
  await expect(all(stream)).rejects.toBe(lost);
  const sum = pauses.reduce((total, ms) => total + ms, 0);
  expect(sum).toBeGreaterThan(25_000);
  expect(sum).toBeLessThan(40_000);
});

test('what the coordinator says no to is not tried again', async () => {
  const refused = new CommandError('answered 401');
  const { stream, asked } = follow([{ after: 1, error: refused }]);
  await expect(all(stream)).rejects.toBe(refused);
  expect(asked).toEqual([0]);
});
