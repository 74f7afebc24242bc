import { rmSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { AbortReason } from '../../../src/lib/abort.ts';
import { describeProcesses } from './process-cases.ts';
import { describeRecovery } from './recovery-cases.ts';
import { describeScripts } from './script-cases.ts';
import { type Behaviour, type ExecutorSubject, eventually, type OpenJob, openJob } from './subject.ts';

/** What every executor has to do (src/executors/port.ts). */
export function describeExecutor(subject: ExecutorSubject): void {
  describe(`${subject.name} executor`, () => {
    describeStages(subject);
    describeRecovery(subject);
    // Cases that do not apply are left out, not skipped: `subject.skips` says why.
    if (subject.skips.scripts === undefined) describe('scripts', () => describeScripts(subject));
    if (subject.skips.processes === undefined) describe('processes', () => describeProcesses(subject));
  });
}

function describeStages(subject: ExecutorSubject): void {
  const open: OpenJob[] = [];
  afterEach(async () => {
    for (const job of open.splice(0)) await job.close();
  });

  async function jobFor(behaviour: Behaviour): Promise<{ readonly job: OpenJob; readonly script: string }> {
    const { script, variables } = subject.express(behaviour);
    const job = await openJob(subject, { variables });
    open.push(job);
    return { job, script };
  }

  it.each([0, 1, 3, 255])('gives exit code %d as a value', async (exitCode) => {
    const { job, script } = await jobFor({ exitCode });
    expect((await job.run(script)).exit).toEqual({
      code: exitCode,
      text: `${subject.exitWords ?? 'exit status'} ${exitCode}`,
    });
  });

  it('gives all output of both streams in order before it settles', async () => {
    const stdout = Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`).join('');
    const { job, script } = await jobFor({ stdout, stderr: 'first\nsecond\n', exitCode: 1 });
    const { stage, exit } = await job.run(script);
    expect(stage.text('stdout')).toBe(stdout);
    expect(stage.text('stderr')).toBe('first\nsecond\n');
    expect(exit.code).toBe(1);
  });

  it('records a stage before its first output', async () => {
    const { job, script } = await jobFor({ stdout: 'x' });
    let recordedFirst: boolean | undefined;
    await job.run(script, {
      onWrite: (stage) => {
        recordedFirst ??= stage.handles.length > 0;
      },
    });
    expect(recordedFirst).toBe(true);
  });

  it('waits for the caller before it gives more output', async () => {
    const { job, script } = await jobFor({ stdout: 'x'.repeat(500_000), stderr: 'y'.repeat(500) });
    // The recorder itself fails when it is called again too early.
    const { stage } = await job.run(script, { onWrite: () => new Promise((resolve) => setImmediate(resolve)) });
    expect(stage.bytes('stdout').length).toBe(500_000);
  });

  it('runs stages one after another', async () => {
    const { job, script } = await jobFor({ stdout: 'again' });
    for (const stage of ['step_script', 'step_release']) {
      expect((await job.run(script, { stage })).stage.text('stdout')).toBe('again');
    }
  });

  it('gives the rest of the output from any cursor', async () => {
    const { job, script } = await jobFor({ stdout: 'o'.repeat(300_000), stderr: 'e'.repeat(100_000), exitCode: 4 });
    const { stage } = await job.run(script);
    for (const [index, cursor] of stage.cursors.entries()) {
      const rest = job.resume(stage.handles.at(-1) ?? null, { directory: stage.directory, cursor });
      expect(await rest.exit).toMatchObject({ code: 4 });
      for (const stream of ['stdout', 'stderr'] as const) {
        const expected = stage.pieces.slice(index + 1).filter((piece) => piece.stream === stream);
        expect(rest.stage.bytes(stream).length).toBe(expected.reduce((sum, { bytes }) => sum + bytes.length, 0));
      }
    }
  });

  it('rejects with the reason of an abort, after the output so far', async () => {
    const { job, script } = await jobFor({ stdout: 'before', sleepMs: 60_000 });
    const controller = new AbortController();
    const reason = new AbortReason('canceled');
    const { stage, exit } = job.start(script, { signal: controller.signal, onWrite: () => controller.abort(reason) });
    await expect(exit).rejects.toBe(reason);
    expect(stage.text('stdout')).toBe('before');
  });

  it('starts nothing when the signal is aborted already', async () => {
    const { job, script } = await jobFor({ stdout: 'x' });
    const reason = new AbortReason('job_timeout');
    const { stage, exit } = job.start(script, { signal: AbortSignal.abort(reason) });
    await expect(exit).rejects.toBe(reason);
    expect(stage.handles).toEqual([]);
  });

  it('runs a stage after one was aborted', async () => {
    const { script, variables } = subject.express({ sleepMs: 60_000 });
    const quick = subject.express({ stdout: 'after' });
    const suffixed = Object.entries(quick.variables).map(([key, value]) => [`${key}_AFTER_SCRIPT`, value] as const);
    const job = await openJob(subject, { variables: { ...variables, ...Object.fromEntries(suffixed) } });
    open.push(job);
    const controller = new AbortController();
    const { stage, exit } = job.start(script, { signal: controller.signal });
    await eventually('the stage is recorded', () => stage.handles.length > 0);
    controller.abort(new AbortReason('canceled'));
    await expect(exit).rejects.toMatchObject({ kind: 'canceled' });
    const after = await job.run(quick.script, { stage: 'after_script' });
    expect(after.stage.text('stdout')).toBe('after');
  });

  it('says so when a stage was never started', async () => {
    const { job } = await jobFor({});
    const resumed = job.resume(null, { directory: job.directory });
    expect(await resumed.exit).toBe('not_started');
  });

  it('cleans up and releases more than once', async () => {
    const { script, variables } = subject.express({});
    const job = await openJob(subject, { variables });
    await job.run(script);
    for (let round = 0; round < 2; round += 1) {
      expect(await job.executor.cleanup(new AbortController().signal)).toEqual({ leftovers: [] });
    }
    await job.lease.release(new AbortController().signal);
    await job.lease.release(new AbortController().signal);
    await job.provider.shutdown(new AbortController().signal);
    rmSync(job.directory, { recursive: true });
  });
}
