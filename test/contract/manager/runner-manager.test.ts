import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunnerConfig } from '../../../src/config/runner-config.ts';
import { configSchema } from '../../../src/config/schema.ts';
import { toRunnerConfig } from '../../../src/config/to-manager-config.ts';
import type { ExecutorProvider, Lease } from '../../../src/executors/port.ts';
import { createCoordinatorClients } from '../../../src/gitlab/coordinator-clients.ts';
import { type AbortReason, abortReasonOf } from '../../../src/lib/abort.ts';
import { createCondition } from '../../../src/manager/condition.ts';
import type { JobEnd, JobSlot, ReceivedJob } from '../../../src/manager/run-job.ts';
import {
  type RunnerManager,
  type RunnerManagerOptions,
  startRunnerManager,
} from '../../../src/manager/runner-manager.ts';
import type { ExecutorTraits } from '../../../src/plan/executor-traits.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { type ScriptedServer, sendJson, sendStatus, startScriptedServer } from '../../support/scripted-server.ts';
import { minimalJob } from '../api-client/client-fixture.ts';

const CHECK_INTERVAL_MS = 10;

let server: ScriptedServer;
let other: ScriptedServer;
let managers: RunnerManager[];
beforeEach(async () => {
  managers = [];
  [server, other] = await Promise.all([
    startScriptedServer((_request, response) => sendStatus(response, 204)),
    startScriptedServer((_request, response) => sendStatus(response, 204)),
  ]);
});
afterEach(async () => {
  for (const manager of managers) {
    manager.stop('terminated');
    manager.stop('terminated');
    await manager.done;
  }
  await Promise.all([server.close(), other.close()]);
});

function runner(url: string, settings: Readonly<Record<string, unknown>> = {}): RunnerConfig {
  const [document] = configSchema.parse({ runners: [{ name: 'r', executor: 'trivial', ...settings }] }).runners;
  if (document === undefined) throw new Error('no runner');
  const token = document.token === '' ? 'runnertoken' : document.token;
  const tls = { caFile: '', certFile: '', keyFile: '' };
  return toRunnerConfig(document, { url, token, systemId: 's_0123456789ab', labels: {}, tls });
}

/** Says yes to everything and remembers it. */
function trivialProvider() {
  const counts = { acquired: 0, released: 0, shutdowns: 0 };
  const lease: Lease = {
    prepare: () => Promise.reject(new Error('not used')),
    recover: () => Promise.resolve('gone'),
    release: () => {
      counts.released += 1;
      return Promise.resolve();
    },
  };
  let hasCapacity = true;
  const provider: ExecutorProvider = {
    traits: () => ({ name: 'trivial', features: ['variables'], defaultShell: 'bash' }) as unknown as ExecutorTraits,
    acquire: () => {
      if (!hasCapacity) return Promise.resolve(undefined);
      counts.acquired += 1;
      return Promise.resolve(lease);
    },
    shutdown: () => {
      counts.shutdowns += 1;
      return Promise.resolve();
    },
  };
  return { provider, counts, setCapacity: (has: boolean) => (hasCapacity = has) };
}

interface RunningJob {
  readonly job: ReceivedJob;
  readonly slot: JobSlot;
  readonly interrupt: AbortSignal;
  readonly end: (end?: JobEnd) => void;
  readonly fail: (error: Error) => void;
}

/** Jobs run until the test ends them. */
function jobBench() {
  const running: RunningJob[] = [];
  const changed = createCondition();
  const runJob: RunnerManagerOptions['runJob'] = (job, slot, { interrupt }) => {
    const { promise, resolve, reject } = Promise.withResolvers<JobEnd>();
    running.push({ job, slot, interrupt, end: (end = 'finished') => resolve(end), fail: reject });
    changed.notify();
    return promise;
  };
  return {
    runJob,
    running,
    /** The nth job, once it has started. */
    started: async (count: number): Promise<RunningJob> => {
      await changed.until(() => running.length >= count, AbortSignal.timeout(10_000));
      return running[count - 1] as RunningJob;
    },
  };
}

type Overrides = Partial<Omit<RunnerManagerOptions, 'config'>> & { readonly concurrent?: number };

function start(runners: readonly RunnerConfig[], overrides: Overrides = {}) {
  const { concurrent = 10, ...rest } = overrides;
  const { logger, lines } = recordingLogger();
  const { provider, counts, setCapacity } = trivialProvider();
  const bench = jobBench();
  const clock = systemClock();
  const host = { platform: 'linux', architecture: 'amd64' };
  const environment = {};
  const clients = createCoordinatorClients({ environment, host, language: 'x', clock, logger, connectionMaxAgeMs: 0 });
  const manager = startRunnerManager({
    config: { concurrent, checkIntervalMs: CHECK_INTERVAL_MS, shutdownTimeoutMs: 60_000, runners },
    providers: new Map([['trivial', provider]]),
    runJob: bench.runJob,
    clients,
    host,
    clock,
    logger,
    ...rest,
  });
  managers.push(manager);
  const messages = (): readonly string[] => lines.map((line) => line.message);
  return { manager, lines, messages, counts, setCapacity, ...bench };
}

const isJobRequest = (request: { readonly path: string }): boolean => request.path.endsWith('/jobs/request');

/** Hands out these jobs, one a request, then none. */
function handOut(target: ScriptedServer, ...jobs: readonly Readonly<Record<string, unknown>>[]): void {
  const left = [...jobs];
  target.answer((_request, response) => {
    const job = left.shift();
    if (job === undefined) sendStatus(response, 204);
    else sendJson(response, 201, minimalJob(job));
  });
}

describe('asking for jobs', () => {
  it('runs a job on a lease with its numbers, then gives everything back', async () => {
    handOut(server, { id: 1 }, { id: 2 });
    const { started, counts, manager, messages } = start([runner(server.url)]);
    const [first, second] = [await started(1), await started(2)];
    expect([first.job.payload.id, first.slot.concurrentId, first.slot.concurrentProjectId]).toEqual([1, 0, 0]);
    expect([second.job.payload.id, second.slot.concurrentId, second.slot.concurrentProjectId]).toEqual([2, 1, 1]);
    first.end();
    second.end();
    manager.drain('quit');
    expect(await manager.done).toEqual({ kind: 'clean' });
    expect(counts.released).toBe(counts.acquired);
    expect(counts.shutdowns).toBe(1);
    const lifecycle = messages().filter((message) => /processing list|workers stopped|Can exit/.test(message));
    expect(lifecycle).toEqual([
      'Added job to processing list',
      'Added job to processing list',
      'Removed job from processing list',
      'Removed job from processing list',
      'All workers stopped.',
      'Can exit now!',
    ]);
  });

  it('asks again at once after a job, unless strict_check_interval', async () => {
    handOut(server, { id: 1 }, { id: 2 }, { id: 3 });
    handOut(other, { id: 11 }, { id: 12 });
    const patient = runner(other.url, { strict_check_interval: true, token: 'other' });
    const config = {
      concurrent: 10,
      checkIntervalMs: 600_000,
      shutdownTimeoutMs: 1000,
      runners: [runner(server.url), patient],
    };
    const { started, running, manager } = start([], { ...({ config } as object) });
    await started(4);
    await server.until(isJobRequest, 4);
    expect(running.map(({ job }) => job.payload.id).sort((a, b) => a - b)).toEqual([1, 2, 3, 11]);
    expect(other.seen).toHaveLength(1);
    for (const job of running) job.end();
    manager.drain('quit');
    await manager.done;
  });

  it('asks as soon as there is room when it had to stop for want of it, unless strict_check_interval', async () => {
    handOut(server, { id: 1 }, { id: 2 }, { id: 3 });
    handOut(other, { id: 11 }, { id: 12 });
    const patient = runner(other.url, { strict_check_interval: true, token: 'other', limit: 1 });
    const config = {
      concurrent: 10,
      checkIntervalMs: 600_000,
      shutdownTimeoutMs: 1000,
      runners: [runner(server.url, { limit: 1 }), patient],
    };
    const { started, running, manager } = start([], { ...({ config } as object) });
    await started(2);
    for (let count = 3; count <= 4; count += 1) {
      for (const job of running) job.end();
      await started(count);
    }
    for (const job of running) job.end();
    await server.until(isJobRequest, 4);
    expect(running.map(({ job }) => job.payload.id).sort((a, b) => a - b)).toEqual([1, 2, 3, 11]);
    expect([server.seen.length, other.seen.length]).toEqual([4, 1]);
    manager.drain('quit');
    await manager.done;
  });

  it('keeps to the limit of a runner', async () => {
    handOut(server, { id: 1 }, { id: 2 });
    const { started, running } = start([runner(server.url, { limit: 1 }), runner(other.url, { token: 'other' })]);
    const first = await started(1);
    await other.until(isJobRequest, other.seen.length + 5);
    expect(server.seen.filter(isJobRequest)).toHaveLength(1);
    first.end();
    await started(2);
    expect(running[1]?.slot.concurrentId).toBe(0);
  });

  it('counts requests under way as jobs that may come', async () => {
    server.answer(() => {});
    const flags = { FF_USE_ADAPTIVE_REQUEST_CONCURRENCY: false };
    const limited = runner(server.url, { limit: 2, request_concurrency: 4, feature_flags: flags });
    start([limited, runner(other.url, { token: 'other' })]);
    await server.until(isJobRequest, 2);
    await other.until(isJobRequest, other.seen.length + 10);
    expect(server.seen).toHaveLength(2);
  });

  it('keeps to the slots of the manager, whatever is asked in parallel', async () => {
    handOut(server, ...Array.from({ length: 6 }, (_, id) => ({ id: id + 1 })));
    handOut(other, ...Array.from({ length: 6 }, (_, id) => ({ id: id + 11 })));
    const several = { request_concurrency: 4, feature_flags: { FF_USE_ADAPTIVE_REQUEST_CONCURRENCY: false } };
    const runners = [runner(server.url, several), runner(other.url, { ...several, token: 'other' })];
    const { started, running } = start(runners, { concurrent: 2 });
    let most = 0;
    for (let count = 1; count <= 12; count += 1) {
      const next = await started(count);
      most = Math.max(most, running.length - count + 1);
      next.end();
    }
    expect(most).toBeLessThanOrEqual(2);
  });

  it('does not ask while no executor is free', async () => {
    const { setCapacity, counts } = start([runner(server.url), runner(other.url, { executor: 'unknown', token: 'o' })]);
    setCapacity(false);
    const before = server.seen.length;
    const taken = counts.acquired;
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(counts.acquired - taken).toBeLessThanOrEqual(1);
    expect(server.seen.length - before).toBeLessThanOrEqual(1);
    setCapacity(true);
    await server.until(isJobRequest, before + 2);
  });

  it('marks a runner with an unknown executor as unhealthy and goes on with the others', async () => {
    const broken = runner(other.url, { executor: 'unknown', token: 'other' });
    const { messages } = start([broken, runner(server.url)]);
    await server.until(isJobRequest, 10);
    expect(other.seen).toHaveLength(0);
    const complaints = messages().filter((message) => message.includes('is not known'));
    expect(complaints).toHaveLength(3);
    expect(messages()).toContain(`Runner "${other.url}other" is unhealthy and will be disabled for 1h0m0s seconds!`);
  });

  it('leaves a server alone that refused three times', async () => {
    other.answer((_request, response) => sendStatus(response, 403));
    start([runner(other.url, { token: 'other' }), runner(server.url)]);
    await other.until(isJobRequest, 3);
    await server.until(isJobRequest, server.seen.length + 10);
    expect(other.seen).toHaveLength(3);
  });

  it('goes on asking a server that cannot serve, or says nonsense', async () => {
    const statuses = [401, 404, 409, 501, 505, 200, 400];
    server.answer((request, response) => {
      const status = statuses[server.seen.length - 1];
      if (status === undefined) request.reset();
      else sendStatus(response, status);
    });
    const { messages } = start([runner(server.url)]);
    await server.until(isJobRequest, statuses.length + 3);
    expect(messages().filter((message) => message.includes('unhealthy'))).toEqual([]);
  });

  it('waits as long as a server asks, without a slot', async () => {
    other.answer((_request, response) => sendStatus(response, 429, { 'Retry-After': '600' }));
    start([runner(other.url, { token: 'other' }), runner(server.url)], { concurrent: 1 });
    await other.until(isJobRequest);
    await server.until(isJobRequest, 10);
    expect(other.seen).toHaveLength(1);
  });

  it('asks again after the unhealthy interval', async () => {
    other.answer((_request, response) => sendStatus(response, 403));
    const { messages } = start([runner(other.url, { unhealthy_interval: '50ms', unhealthy_requests_limit: 1 })]);
    await other.until(isJobRequest, 3);
    expect(messages().filter((message) => message.includes('will be forced'))).toHaveLength(2);
  });

  it('reports a job as failed that it cannot understand', async () => {
    handOut(server, { id: 9, steps: 'none' });
    start([runner(server.url)]);
    const update = await server.until((request) => request.method === 'PUT');
    expect(update.path).toBe('/api/v4/jobs/9');
    expect(JSON.parse(update.body)).toMatchObject({
      token: 'jobtoken',
      state: 'failed',
      failure_reason: 'runner_system_failure',
    });
  });

  it('survives a job that throws', async () => {
    handOut(server, { id: 1 }, { id: 2 });
    const { started, lines, counts } = start([runner(server.url)]);
    (await started(1)).fail(new Error('a bug'));
    (await started(2)).end();
    await server.until(isJobRequest, server.seen.length + 2);
    const line = lines.find(({ message }) => message === 'A job ended with an unexpected error');
    expect(line?.fields).toMatchObject({ job: 1, error: expect.stringContaining('a bug') as string });
    expect(counts.acquired - counts.released).toBeLessThanOrEqual(1);
  });

  it('does not ask while jobs could not be kept safe, and says so once', async () => {
    let verdict: true | string = 'no space left';
    let checks = 0;
    const enough = createCondition();
    const canTakeJobs = (): true | string => {
      checks += 1;
      enough.notify();
      return verdict;
    };
    const { messages } = start([runner(server.url)], { canTakeJobs });
    await enough.until(() => checks >= 5, AbortSignal.timeout(10_000));
    expect(server.seen).toHaveLength(0);
    expect(messages().filter((message) => message.startsWith('No jobs are requested'))).toHaveLength(1);
    verdict = true;
    await server.until(isJobRequest);
  });

  it('refuses to start without slots', () => {
    expect(() => start([runner(server.url)], { concurrent: 0 })).toThrow('it must be at least 1');
  });
});

describe('a server that does not answer', () => {
  const graces = { connectingMs: 50, heldMs: 50, answerMs: 50 };

  it('does not delay the others while there are slots', async () => {
    other.answer(() => {});
    start([runner(other.url, { token: 'other' }), runner(server.url)], { concurrent: 2 });
    await other.until(isJobRequest);
    await server.until(isJobRequest, 20);
    expect(other.seen).toHaveLength(1);
  });

  it('gives up the only slot to the others', async () => {
    other.answer(() => {});
    start([runner(other.url, { token: 'other' }), runner(server.url)], { concurrent: 1, graces });
    await server.until(isJobRequest, 10);
    await other.until(isJobRequest, 2);
  });

  it('gives up the only slot while a poll is held, and is not asked to hold the next one', async () => {
    const isHeld = (request: { readonly body: string }) => request.body.includes('"last_update":"now"');
    other.answer((request, response) => {
      if (!isHeld(request)) sendStatus(response, 204, { 'X-GitLab-Last-Update': 'now' });
    });
    // While the first runner is left alone, the second may be held.
    server.answer((_request, response) => sendStatus(response, 403));
    const refused = runner(server.url, { unhealthy_requests_limit: 1, unhealthy_interval: '200ms' });
    start([refused, runner(other.url, { token: 'other' })], { concurrent: 1, graces });
    await other.until(isHeld);
    server.answer((_request, response) => sendStatus(response, 204));
    await server.until(isJobRequest, server.seen.length + 10);
    expect(other.seen.filter(isHeld)).toHaveLength(1);
    expect(other.seen.filter((request) => !isHeld(request)).length).toBeGreaterThan(1);
  });

  it('never brings more jobs than slots', async () => {
    for (const [index, target] of [server, other].entries()) {
      let count = 0;
      target.answer((_request, response) => {
        count += 1;
        // Every other answer comes after the grace.
        const answer = (): void => sendJson(response, 201, minimalJob({ id: count + 100 * index }));
        if (count % 2 === 0) setTimeout(answer, 60);
        else answer();
      });
    }
    const runners = [runner(server.url), runner(other.url, { token: 'other' })];
    const { started, running } = start(runners, { concurrent: 1, graces: { ...graces, answerMs: 30 } });
    for (let count = 1; count <= 8; count += 1) {
      const job = await started(count);
      expect(running).toHaveLength(count);
      job.end();
    }
  });
});

describe('jobs of an earlier manager', () => {
  it('keep their numbers and slots, and are there before anything is asked', async () => {
    const end = Promise.withResolvers<JobEnd>();
    handOut(server, { id: 5, job_info: { project_id: 3 } });
    const adopted = {
      jobId: 4,
      runnerToken: 'runnertoken',
      projectId: 3,
      concurrentId: 0,
      concurrentProjectId: 0,
      run: () => end.promise,
    };
    const recover: RunnerManagerOptions['recover'] = () => Promise.resolve([adopted, { ...adopted, jobId: 6 }]);
    const { started } = start([runner(server.url), runner(other.url, { token: 'x', limit: 1 })], {
      concurrent: 3,
      recover,
    });
    const job = await started(1);
    expect(job.slot).toMatchObject({ concurrentId: 1, concurrentProjectId: 1 });
    end.resolve('finished');
    job.end();
  });

  it('hold back new ones while they fill the slots', async () => {
    const end = Promise.withResolvers<JobEnd>();
    const isRunning = Promise.withResolvers<void>();
    const ids = { concurrentId: 0, concurrentProjectId: 0 };
    const run = (): Promise<JobEnd> => {
      isRunning.resolve();
      return end.promise;
    };
    const recover = () => Promise.resolve([{ jobId: 4, runnerToken: 'gone', projectId: 3, ...ids, run }]);
    start([runner(server.url)], { concurrent: 1, recover });
    await isRunning.promise;
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(server.seen).toHaveLength(0);
    end.resolve('finished');
    await server.until(isJobRequest);
  });
});

describe('stopping', () => {
  it('drains: ends held requests, asks for nothing more, waits for jobs', async () => {
    handOut(server, { id: 1 });
    other.answer(() => {});
    const { manager, started, counts, messages } = start([runner(server.url), runner(other.url, { token: 'other' })]);
    const job = await started(1);
    await other.until(isJobRequest);
    manager.drain('quit');
    manager.drain('quit');
    expect(manager.state).toBe('graceful-shutdown');
    expect(job.interrupt.aborted).toBe(false);
    expect(counts.shutdowns).toBe(0);
    job.end();
    expect(await manager.done).toEqual({ kind: 'clean' });
    expect(counts.acquired).toBe(counts.released);
    expect(messages().filter((message) => message.startsWith('Starting graceful shutdown'))).toHaveLength(2);
  });

  it('stops: interrupts jobs with the reason and waits for their end', async () => {
    handOut(server, { id: 1 });
    const { manager, started } = start([runner(server.url)]);
    const job = await started(1);
    manager.stop('terminated');
    const reason: AbortReason = abortReasonOf(job.interrupt);
    expect([reason.kind, reason.message]).toEqual(['interrupted', 'aborted: terminated']);
    job.end();
    expect(await manager.done).toEqual({ kind: 'clean' });
  });

  it('stops after draining', async () => {
    handOut(server, { id: 1 });
    const { manager, started } = start([runner(server.url)]);
    const job = await started(1);
    manager.drain('quit');
    manager.stop('interrupt');
    expect(abortReasonOf(job.interrupt).message).toBe('aborted: interrupt');
    job.end();
    expect(await manager.done).toEqual({ kind: 'clean' });
  });

  it('gives up at once at the second stop', async () => {
    handOut(server, { id: 1 });
    const { manager, started } = start([runner(server.url)]);
    await started(1);
    manager.stop('terminated');
    manager.stop('interrupt');
    expect(await manager.done).toEqual({ kind: 'forced', signalName: 'interrupt' });
  });

  it('gives up after the shutdown timeout', async () => {
    handOut(server, { id: 1 });
    const config = { concurrent: 1, checkIntervalMs: 10, shutdownTimeoutMs: 30, runners: [runner(server.url)] };
    const { manager, started } = start([], { ...({ config } as object) });
    await started(1);
    manager.stop('terminated');
    expect(await manager.done).toEqual({ kind: 'timed_out' });
  });

  it('fails when jobs of an earlier manager cannot be looked for', async () => {
    const error = new Error('no such disk');
    const { manager } = start([runner(server.url)], { recover: () => Promise.reject(error) });
    expect(await manager.done).toEqual({ kind: 'failed', error });
    expect(server.seen).toHaveLength(0);
  });

  it('stops with no runner at all', async () => {
    const { manager } = start([]);
    manager.drain('quit');
    expect(await manager.done).toEqual({ kind: 'clean' });
    expect(manager.state).toBe('stopped');
  });
});
