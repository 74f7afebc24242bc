import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'vitest';
import { faultRuleSchema } from '../../src/coordinator/faults/fault-rules.ts';
import type { CoordinatorOptions } from '../../src/coordinator/options.ts';
import { filesHolding } from '../support/files-below.ts';
import { killAll, listensToSignals, processesWith } from '../support/job-processes.ts';
import {
  millrace,
  plainTrace,
  RunnerBench,
  type RunnerProcess,
  type RunnerSettings,
  scriptJob,
  until,
} from '../support/runner-bench.ts';

const secret = 'content-of-a-file-variable';

async function startBench({ onTestFinished }: TestContext, options: Partial<CoordinatorOptions> = {}) {
  const bench = await RunnerBench.start(options);
  onTestFinished(async () => {
    killAll(processesWith(`HOME=${bench.folder}`));
    await bench.close();
  });
  const start = (settings: RunnerSettings = {}): RunnerProcess =>
    bench.startRunner(millrace(), { name: 'host', ...settings });
  return { bench, start, go: join(bench.folder, 'go') };
}

/** A job that runs until a file appears, says something now and then, and has a file variable. */
function longJob(go: string): Readonly<Record<string, unknown>> {
  return scriptJob({
    script: ['echo started', `while [ ! -e ${go} ]; do sleep 0.05; done`, 'echo through'],
    afterScript: ['echo after'],
    moreVariables: [{ key: 'SECRET_FILE', value: secret, file: true }],
  });
}

/** A job that ignores polite signals. */
function stubbornJob(go: string): Readonly<Record<string, unknown>> {
  const script = ['trap "" TERM INT', 'echo started', `while [ ! -e ${go} ]; do sleep 0.05; done`];
  return scriptJob({ script, moreVariables: [{ key: 'SECRET_FILE', value: secret, file: true }] });
}

/** A stopped manager leaves no journal, no lock, no number and no process. */
function expectNothingLeft(runner: RunnerProcess, { expect }: TestContext): void {
  const journal = join(runner.folder, 'state', 'journal');
  for (const folder of ['jobs', 'locks', 'numbers']) expect(readdirSync(join(journal, folder)), folder).toEqual([]);
  expect(processesWith(`HOME=${runner.folder}\0`)).toEqual([]);
  expect(filesHolding(runner.buildsFolder, secret)).toEqual([]);
}

async function send(runner: RunnerProcess, signal: NodeJS.Signals): Promise<void> {
  await listensToSignals(runner);
  runner.kill(signal);
}

describe.concurrent('a manager that gets a signal', () => {
  test('SIGQUIT: takes no more jobs, lets running ones end, and exits with 0', async (context) => {
    const { expect } = context;
    const { bench, start, go } = await startBench(context);
    const runner = start({ concurrent: 2 });
    const id = await bench.submit(longJob(go));
    await bench.traceShows(id, 'started');
    await send(runner, 'SIGQUIT');
    await until('the drain to begin', 20_000, async () =>
      runner.log().includes('Starting graceful shutdown') ? true : undefined,
    );
    // Again: it is patient.
    runner.kill('SIGQUIT');
    const late = await bench.submit(scriptJob({ script: ['echo late'] }));
    writeFileSync(go, '');
    expect(await bench.finished(id)).toMatchObject({ status: 'success', trace_report: { is_equal: true } });
    expect(await runner.ended).toBe(0);
    expect(plainTrace(await bench.trace(id))).toContain('\nafter\n');
    expect(await bench.job(late)).toMatchObject({ status: 'pending' });
    expectNothingLeft(runner, context);
  });

  test('SIGQUIT without jobs: ends a held request and exits with 0', async (context) => {
    const { bench, start } = await startBench(context, { longPollSeconds: 50 });
    const runner = start();
    const first = await bench.submit(scriptJob({ script: ['true'] }));
    await bench.finished(first);
    await send(runner, 'SIGQUIT');
    context.expect(await runner.ended).toBe(0);
    expectNothingLeft(runner, context);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal}: aborts running jobs, reports them and exits with 0`, async (context) => {
      const { expect } = context;
      const { bench, start, go } = await startBench(context);
      const runner = start({ concurrent: 3 });
      const ids = [await bench.submit(longJob(go)), await bench.submit(longJob(go))];
      for (const id of ids) await bench.traceShows(id, 'started');
      await send(runner, signal);
      expect(await runner.ended).toBe(0);
      for (const id of ids) {
        const text = plainTrace(await bench.trace(id));
        expect(await bench.job(id), text).toMatchObject({
          status: 'failed',
          failure_reason: 'runner_interrupted',
          trace_report: { is_equal: true },
        });
        expect(text).not.toContain('\nafter\n');
        expect(text).toMatch(/\nERROR: Job failed: aborted: (terminated|interrupt)\n$/);
      }
      expectNothingLeft(runner, context);
    });
  }

  test('SIGQUIT, then SIGTERM: stops being patient', async (context) => {
    const { bench, start, go } = await startBench(context);
    const runner = start();
    const id = await bench.submit(longJob(go));
    await bench.traceShows(id, 'started');
    await send(runner, 'SIGQUIT');
    await until('the drain to begin', 20_000, async () =>
      runner.log().includes('Starting graceful shutdown') ? true : undefined,
    );
    runner.kill('SIGTERM');
    context.expect(await runner.ended).toBe(0);
    context.expect(await bench.job(id)).toMatchObject({ status: 'failed', failure_reason: 'runner_interrupted' });
    expectNothingLeft(runner, context);
  });

  test('SIGTERM while it acknowledges a job: the job is reported as interrupted, and never starts', async (context) => {
    const { expect } = context;
    const delay = faultRuleSchema.parse({ endpoint: 'job_update', kind: 'delay', delay_ms: 60_000, max_count: 1 });
    const { bench, start } = await startBench(context, { faults: [delay] });
    const runs = join(bench.folder, 'runs');
    const runner = start();
    const id = await bench.submit(scriptJob({ script: [`echo run >> ${runs}`] }));
    await until('the acknowledgement', 20_000, async () => {
      const [fault] = (await bench.api('GET', 'faults')) as readonly { readonly injected: number }[];
      return fault?.injected === 1 ? true : undefined;
    });
    await send(runner, 'SIGTERM');
    expect(await runner.ended).toBe(0);
    expect(await bench.job(id)).toMatchObject({ status: 'failed', failure_reason: 'runner_interrupted' });
    expect(existsSync(runs)).toBe(false);
    expectNothingLeft(runner, context);
  });

  test('SIGTERM with a job that does not want to end: it is killed within the shutdown timeout', async (context) => {
    const { expect } = context;
    const { bench, start, go } = await startBench(context);
    const runner = start({ shutdownTimeoutSeconds: 10 });
    const id = await bench.submit(stubbornJob(go));
    await bench.traceShows(id, 'started');
    await send(runner, 'SIGTERM');
    expect(await runner.ended).toBe(0);
    expect(await bench.job(id)).toMatchObject({ status: 'failed', failure_reason: 'runner_interrupted' });
    expectNothingLeft(runner, context);
  });

  test('a second SIGTERM: exits with 1 at once; the next start ends and reports the job', async (context) => {
    const { expect } = context;
    const { bench, start, go } = await startBench(context);
    const runner = start({ shutdownTimeoutSeconds: 10 });
    const id = await bench.submit(stubbornJob(go));
    await bench.traceShows(id, 'started');
    await send(runner, 'SIGTERM');
    await until('the stop to begin', 20_000, async () =>
      runner.log().includes('Starting forceful shutdown') ? true : undefined,
    );
    runner.kill('SIGTERM');
    expect(await runner.ended).toBe(1);
    expect(await bench.job(id)).toMatchObject({ status: 'running' });
    const next = start();
    expect(await bench.finished(id)).toMatchObject({ status: 'failed', failure_reason: 'runner_interrupted' });
    await send(next, 'SIGTERM');
    expect(await next.ended).toBe(0);
    expectNothingLeft(next, context);
  });
});
