import { describe, expect, it } from 'vitest';
import { AbortReason, abortReasonOf } from '../lib/abort.ts';
import { silentLogger } from '../observability/logger.ts';
import { createConcurrencyIdAllocator } from './concurrency-ids.ts';
import { createCondition } from './condition.ts';
import { createJobSupervisor } from './job-supervisor.ts';
import type { JobEnd, JobSignals } from './run-job.ts';

function create() {
  const ids = createConcurrencyIdAllocator();
  const runJob = (): Promise<JobEnd> => Promise.reject(new Error('not used'));
  const usage = { jobs: 0, requests: 0, changed: createCondition() };
  return { supervisor: createJobSupervisor({ ids, runJob, logger: silentLogger }), usage };
}

const job = { jobId: 1, runnerToken: 't', projectId: 1, concurrentId: 0, concurrentProjectId: 0 };

describe('createJobSupervisor', () => {
  it('interrupts a job that arrives after the stop, with the first reason', () => {
    const { supervisor, usage } = create();
    supervisor.interruptAll(new AbortReason('interrupted', 'aborted: terminated'));
    supervisor.interruptAll(new AbortReason('interrupted', 'aborted: interrupt'));
    let given: JobSignals | undefined;
    const run = (signals: JobSignals): Promise<JobEnd> => {
      given = signals;
      return new Promise(() => {});
    };
    supervisor.adopt({ ...job, run }, usage, () => {});
    expect(given && abortReasonOf(given.interrupt).message).toBe('aborted: terminated');
    expect(supervisor.count).toBe(1);
  });

  it('is idle only once the capacity of every job is given back', async () => {
    const { supervisor, usage } = create();
    const end = Promise.withResolvers<JobEnd>();
    let slots = 0;
    supervisor.adopt({ ...job, run: () => end.promise }, usage, () => {
      slots += 1;
    });
    const idle = supervisor.idle(new AbortController().signal);
    end.resolve('finished');
    await idle;
    expect([slots, usage.jobs, supervisor.count]).toEqual([1, 0, 0]);
  });

  it('lets go when the waiting is limited', async () => {
    const { supervisor, usage } = create();
    supervisor.adopt({ ...job, run: () => new Promise(() => {}) }, usage, () => {});
    const limit = new AbortController();
    const idle = supervisor.idle(limit.signal);
    limit.abort(new AbortReason('aborted', 'shutdown timed out'));
    await expect(idle).rejects.toThrow('shutdown timed out');
  });
});
