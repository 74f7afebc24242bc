import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { filesHolding } from '../support/files-below.ts';
import { processesWith } from '../support/job-processes.ts';
import { needs } from '../support/needs.ts';
import {
  type JobView,
  millrace,
  plainTrace,
  RunnerBench,
  type RunnerProcess,
  scriptJob,
  until,
} from '../support/runner-bench.ts';

const secret = 'content-of-a-file-variable';

describe.skipIf(!needs('tmpfs'))('a manager whose state folder is on a full disk', () => {
  let bench: RunnerBench;
  let state: string;
  let runner: RunnerProcess | undefined;
  beforeEach(async () => {
    bench = await RunnerBench.start();
    state = join(bench.folder, 'host', 'state');
    mkdirSync(state, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=700', 'tmpfs', state]);
  });
  afterEach(async () => {
    runner?.kill('SIGKILL');
    await runner?.ended;
    runner = undefined;
    // What is left of a job may have its script open.
    await until('the disk to be free', 20_000, async () => {
      try {
        execFileSync('umount', [state], { stdio: 'ignore' });
        return true;
      } catch {
        return undefined;
      }
    });
    await bench.close();
  });

  const ballast = (): string => join(state, 'ballast');

  /** Leaves so many bytes of the disk free, about. */
  function fill(leaveBytes: number): void {
    const file = openSync(ballast(), 'a');
    const piece = Buffer.alloc(4096);
    try {
      for (;;) {
        const { bavail, bsize } = statfsSync(state);
        if (bavail * bsize <= leaveBytes) return;
        writeSync(file, piece);
      }
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  function start(runnerLines: readonly string[] = [], token?: string): RunnerProcess {
    runner = bench.startRunner(millrace(), {
      name: 'host',
      runnerLines,
      concurrent: 2,
      ...(token === undefined ? {} : { token }),
    });
    return runner;
  }

  async function nothingLeft(host: RunnerProcess): Promise<void> {
    await until('an empty journal', 20_000, async () =>
      readdirSync(join(state, 'journal', 'jobs')).length === 0 ? true : undefined,
    );
    await until('the end of all processes of the job', 20_000, async () =>
      processesWith(`HOME=${host.folder}\0`).every(({ pid }) => pid === host.process.pid) ? true : undefined,
    );
    expect(filesHolding(host.buildsFolder, secret)).toEqual([]);
  }

  test('takes no job, says once why, and takes jobs again when there is space', async () => {
    fill(1024 * 1024);
    const { token } = bench.coordinator.createRunner({ description: 'full', tags: ['full'] });
    const full = start([], token);
    const { id } = (await bench.api('POST', 'jobs?tags=full', scriptJob({ script: ['echo ran'] }))) as JobView;
    await until('a word about the disk', 20_000, async () =>
      full.log().includes('No jobs are requested') ? true : undefined,
    );
    // Others go on meanwhile, for longer than this one waits between two looks.
    bench.startRunner(millrace());
    for (let job = 0; job < 3; job += 1) {
      const other = await bench.submit(scriptJob({ script: ['sleep 0.7'] }));
      expect(await bench.finished(other)).toMatchObject({ status: 'success' });
    }
    expect(await bench.job(id)).toMatchObject({ status: 'pending' });
    expect(full.log().match(/No jobs are requested/g)).toHaveLength(1);
    expect(full.log()).toMatch(/No jobs are requested.*no space left/);
    rmSync(ballast());
    expect(await bench.finished(id)).toMatchObject({ status: 'success' });
    await nothingLeft(full);
  });

  /** A job that writes until it is told to stop, and what it needs. */
  async function chattyJob(): Promise<{ readonly id: number; readonly go: string }> {
    const go = join(bench.folder, 'go');
    const id = await bench.submit(
      scriptJob({
        script: [
          `i=0; while [ ! -e ${go} ]; do i=$((i+1)); echo "line $i $PADDING"; sleep 0.02; done`,
          'echo "total $i"',
        ],
        variables: { PADDING: 'x'.repeat(500) },
        moreVariables: [{ key: 'SECRET_FILE', value: secret, file: true }],
      }),
    );
    await bench.traceShows(id, 'line 3 ');
    return { id, go };
  }

  test('ends a job that it cannot store any more, says why in its trace, and runs others later', async () => {
    const host = start();
    const { id, go } = await chattyJob();
    fill(0);
    const view = await bench.finished(id);
    const text = plainTrace(await bench.trace(id));
    expect(view, text).toMatchObject({
      status: 'failed',
      failure_reason: 'runner_system_failure',
      trace_report: { is_equal: true },
    });
    expect(text).toMatch(/^ERROR: Job failed \(system failure\): .*(?:no space left|disk full)/m);
    const lines = text.split('\n').filter((line) => line.startsWith('line '));
    expect(lines.slice(0, -1)).toEqual(lines.slice(0, -1).map((_, index) => `line ${index + 1} ${'x'.repeat(500)}`));
    expect(existsSync(go)).toBe(false);
    rmSync(ballast());
    const next = await bench.submit(scriptJob({ script: ['echo again'] }));
    expect(await bench.finished(next)).toMatchObject({ status: 'success', trace_report: { is_equal: true } });
    await nothingLeft(host);
  });

  test('ends a job clearly too that cannot begin', async () => {
    const go = join(bench.folder, 'go');
    writeFileSync(join(bench.folder, 'host', '.profile'), `while [ ! -e '${go}' ]; do sleep 0.05; done\n`);
    const host = start();
    const id = await bench.submit(scriptJob({ script: ['echo started'] }));
    await bench.traceShows(id, 'Executing "step_script"');
    fill(0);
    writeFileSync(go, '');
    const view = await bench.finished(id);
    const text = plainTrace(await bench.trace(id));
    expect(view, text).toMatchObject({
      status: 'failed',
      failure_reason: 'runner_system_failure',
      trace_report: { is_equal: true },
    });
    expect(text).toMatch(/^ERROR: Job failed \(system failure\): .*(?:no space left|disk)/m);
    expect(text).not.toMatch(/^started$/m);
    rmSync(ballast());
    await nothingLeft(host);
  });

  test('goes on with a job of a killed manager once there is space, and fails it openly while there is none', async () => {
    const first = start();
    const { id } = await chattyJob();
    first.kill('SIGKILL');
    await first.ended;
    fill(0);
    const second = start();
    const view = await bench.finished(id);
    const text = plainTrace(await bench.trace(id));
    expect(view, text).toMatchObject({ status: 'failed', failure_reason: 'runner_system_failure' });
    expect(second.process.exitCode).toBeNull();
    rmSync(ballast());
    const next = await bench.submit(scriptJob({ script: ['echo again'] }));
    expect(await bench.finished(next)).toMatchObject({ status: 'success', trace_report: { is_equal: true } });
    await nothingLeft(second);
  });
});
