import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ExecutorProvider, StageHint } from '../../../src/executors/port.ts';
import { createShellProvider, type ShellProviderOptions } from '../../../src/executors/shell/shell-provider.ts';
import { abortReasonOf } from '../../../src/lib/abort.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { EnvironmentLostError } from '../../../src/lib/errors.ts';
import { killAll, processesWith } from '../../support/job-processes.ts';
import { planFor, runnerFor } from './plan.ts';
import { newScratchFolder } from './scratch-folder.ts';
import { eventually, neverAborted, type OpenJob, openJob } from './subject.ts';
import { shellTimes } from './subjects.ts';

/** A clock whose sleepers wake when the test says so. */
function createTestClock(): Clock & { readonly wake: (ms: number) => number } {
  const sleepers = new Set<{ readonly ms: number; readonly resolve: () => void }>();
  return {
    now: () => 0,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { ms, resolve };
        sleepers.add(sleeper);
        signal.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(abortReasonOf(signal));
        });
      }),
    wake: (ms) => {
      const due = [...sleepers].filter((sleeper) => sleeper.ms <= ms);
      for (const sleeper of due) sleeper.resolve();
      return due.length;
    },
  };
}

const userStage: StageHint = { where: 'build' };
const ownStage: StageHint = { where: 'build', isOurs: true };

describe('shells that are started ahead', () => {
  let home = '';
  let jobs: OpenJob[] = [];
  let clock = createTestClock();
  let provider: ExecutorProvider | undefined;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'ahead-home-'));
    clock = createTestClock();
    writeFileSync(join(home, '.profile'), `echo read >>"$HOME/reads"\nP=first\n`);
  });
  afterEach(async () => {
    for (const job of jobs) await job.close();
    if (jobs.length === 0) await provider?.shutdown(neverAborted);
    jobs = [];
    provider = undefined;
    const left = processes();
    killAll(left);
    rmSync(home, { recursive: true });
    expect(left).toEqual([]);
  });

  function createProvider(options: Partial<ShellProviderOptions> = {}): ExecutorProvider {
    provider ??= createShellProvider({
      environment: { PATH: process.env['PATH'], HOME: home },
      workingDirectory: home,
      helperCommand: ['helper'],
      times: shellTimes,
      clock,
      scratchFolder: newScratchFolder,
      ...options,
    });
    return provider;
  }

  async function newJob(): Promise<OpenJob> {
    const job = await openJob({ name: 'shell', createProvider }, { loginShell: true });
    jobs.push(job);
    return job;
  }

  const processes = () => processesWith(`HOME=${home}`);
  const reads = (): number =>
    existsSync(join(home, 'reads')) ? readFileSync(join(home, 'reads'), 'utf8').length / 5 : 0;

  async function profileWasRead(times: number): Promise<void> {
    await eventually(`the profile was read ${times} times`, () => reads() === times);
  }

  it('run the stage with the profile that they read, and its output', async () => {
    writeFileSync(join(home, '.profile'), 'echo from profile; P=$((${P:-0} + 1))\n');
    const job = await newJob();
    job.executor.expect?.([userStage]);
    await eventually('a shell waits', () => processes().length > 0);
    const { stage, exit } = await job.run('echo "$P"; pwd; exit 4');
    expect(stage.text('stdout')).toBe(`from profile\n1\n${home}\n`);
    expect(exit).toEqual({ code: 4, text: 'exit status 4' });
    expect((await job.run('kill -9 $$')).exit).toEqual({ code: -1, text: 'signal: killed' });
  });

  it('are one for several hints, and used once', async () => {
    const job = await newJob();
    for (let round = 0; round < 3; round += 1) job.executor.expect?.([ownStage, userStage]);
    await profileWasRead(1);
    expect((await job.run('echo "$P"')).stage.text('stdout')).toBe('first\n');
    expect(reads()).toBe(1);
    await job.run('true');
    expect(reads()).toBe(2);
  });

  it('are left when a file of the profile was changed meanwhile', async () => {
    const job = await newJob();
    job.executor.expect?.([userStage]);
    await profileWasRead(1);
    writeFileSync(join(home, '.bash_login'), 'P=second\n');
    expect((await job.run('echo "$P"')).stage.text('stdout')).toBe('second\n');
  });

  it('are gone at the end of the job that did not need them', async () => {
    const job = await newJob();
    job.executor.expect?.([userStage]);
    await profileWasRead(1);
    expect(await job.executor.cleanup(neverAborted)).toEqual({ leftovers: [] });
    expect(processes()).toEqual([]);
  });

  it('are gone with a job that was never prepared', async () => {
    const lease = await createProvider().acquire(runnerFor('shell'), neverAborted);
    lease?.expect?.(planFor({ loginShell: true }), [userStage]);
    await profileWasRead(1);
    await lease?.release(neverAborted);
    expect(processes()).toEqual([]);
  });

  it('are ended by force when the profile hangs', async () => {
    writeFileSync(join(home, '.profile'), `trap '' TERM; echo read >>"$HOME/reads"; while :; do sleep 0.1; done\n`);
    const job = await newJob();
    job.executor.expect?.([userStage]);
    await profileWasRead(1);
    await job.executor.cleanup(neverAborted);
    expect(processes()).toEqual([]);
  });

  it('do not pass for the stage when the profile exits or eats the script', async () => {
    for (const profile of ['exit 0', 'cat >/dev/null']) {
      writeFileSync(join(home, '.profile'), `${profile}\n`);
      const job = await newJob();
      job.executor.expect?.([userStage]);
      const failure = job.run('echo started');
      await expect(failure).rejects.toBeInstanceOf(EnvironmentLostError);
      await expect(failure).rejects.toThrow('ended before it ran the script');
    }
    writeFileSync(join(home, '.profile'), 'echo bye; exit 3\n');
    const { stage, exit } = await (await newJob()).run('echo started');
    expect(exit).toEqual({ code: 3, text: 'exit status 3' });
    expect(stage.text('stdout')).toBe('bye\n');
  });

  it('keep own stages from a profile where the manager is told so', async () => {
    createProvider({ ownStagesPlain: true });
    const job = await newJob();
    job.executor.expect?.([ownStage, userStage]);
    expect((await job.run('echo "[$P]"', { isOurs: true })).stage.text('stdout')).toBe('[]\n');
    expect((await job.run('echo "[$P]"')).stage.text('stdout')).toBe('[first]\n');
    expect(reads()).toBe(1);
  });

  describe('between jobs', () => {
    async function standbyAfterJob(): Promise<void> {
      const job = await newJob();
      await job.run('true');
      await job.executor.cleanup(neverAborted);
      await job.lease.release(neverAborted);
      await profileWasRead(2);
    }

    /** Runs one stage of a job that came through a lease, as the manager does it. */
    async function nextJob(script: string): Promise<string> {
      const job = await openJob({ name: 'shell', createProvider }, { loginShell: true }, undefined, [userStage]);
      jobs.push(job);
      return (await job.run(script)).stage.text('stdout');
    }

    it('serve the next job, whose processes are known by them', async () => {
      await standbyAfterJob();
      const job = await openJob({ name: 'shell', createProvider }, { loginShell: true }, undefined, [userStage]);
      jobs.push(job);
      const { jobCookie } = job.environmentHandles[0] as { readonly jobCookie: string };
      const { stage } = await job.run('echo "$MILLRACE_PROCESS_COOKIES"');
      expect(stage.text('stdout').split(',')).toContain(jobCookie);
      expect(reads()).toBe(2);
    });

    it('are left when a file of the profile was changed', async () => {
      await standbyAfterJob();
      writeFileSync(join(home, '.profile'), 'P=changed\n');
      expect(await nextJob('echo "$P"')).toBe('changed\n');
    });

    it('end after ten seconds', async () => {
      await standbyAfterJob();
      expect(clock.wake(9_999)).toBe(0);
      expect(processes().length).toBeGreaterThan(0);
      expect(clock.wake(10_000)).toBe(1);
      await eventually('no process is left', () => processes().length === 0);
    });

    it('end when no job will come, and with the provider', async () => {
      await standbyAfterJob();
      provider?.noMoreJobs?.();
      await provider?.shutdown(neverAborted);
      expect(processes()).toEqual([]);
    });

    it('end when a stage of a user runs in another job, and are not kept while it does', async () => {
      const [first, second] = [await newJob(), await newJob()];
      await first.run('true');
      const controller = new AbortController();
      const running = second.start('echo runs; exec sleep 300', { signal: controller.signal });
      running.exit.catch(() => {});
      await eventually('the other stage runs', () => running.stage.text('stdout') !== '');
      const before = reads();
      await first.executor.cleanup(neverAborted);
      await first.lease.release(neverAborted);
      expect(await nextJob('echo "$P"')).toBe('first\n');
      expect(reads()).toBe(before + 1);
      controller.abort();
      await running.exit.catch(() => {});
    });

    it('are there at once where the provider is told so', async () => {
      createProvider({ standbys: 2 });
      await profileWasRead(2);
      expect(await nextJob('echo "$P"')).toBe('first\n');
      expect(reads()).toBe(2);
    });
  });

  it('leave no folder behind', async () => {
    const scratch = newScratchFolder();
    createProvider({ scratchFolder: () => scratch, standbys: 2 });
    await profileWasRead(2);
    expect(readdirSync(scratch).length).toBe(3);
    await provider?.shutdown(neverAborted);
    expect(existsSync(scratch)).toBe(false);
  });
});
