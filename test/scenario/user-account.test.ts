import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { filesHolding } from '../support/files-below.ts';
import { killAll, listensToSignals, processesWith } from '../support/job-processes.ts';
import { needs } from '../support/needs.ts';
import { millrace, plainTrace, RunnerBench, type RunnerProcess, scriptJob, until } from '../support/runner-bench.ts';

const account = 'nobody';
const secret = 'content-of-a-file-variable';
const secretFile = { key: 'SECRET_FILE', value: secret, file: true };

describe.skipIf(!needs('root'))('jobs under another account (run --user)', () => {
  let bench: RunnerBench;
  let temporary: string;
  beforeEach(async () => {
    bench = await RunnerBench.start();
    // The account must be able to go through to its own folders, and nowhere else.
    chmodSync(bench.folder, 0o711);
    temporary = join(bench.folder, 'tmp');
    mkdirSync(temporary);
    chmodSync(temporary, 0o1777);
  });
  afterEach(async () => {
    killAll(processesWith(`USER_TEST=${bench.folder}`));
    await bench.close();
  });

  function numberOf(what: '-u' | '-g'): number {
    return Number(execFileSync('id', [what, account], { encoding: 'utf8' }));
  }

  function start(runnerLines: readonly string[] = []): RunnerProcess {
    const folder = join(bench.folder, 'host');
    for (const path of [folder, join(folder, 'builds'), join(folder, 'cache')]) {
      mkdirSync(path, { recursive: true });
      if (path !== folder) chownSync(path, numberOf('-u'), numberOf('-g'));
    }
    return bench.startRunner(millrace(), {
      name: 'host',
      arguments: ['--user', account],
      environment: { USER_TEST: bench.folder, TMPDIR: temporary },
      runnerLines,
    });
  }

  function jobProcesses(): readonly number[] {
    return processesWith(`USER_TEST=${bench.folder}\0`)
      .filter(({ pid }) => existsSync(`/proc/${pid}`) && statSync(`/proc/${pid}`).uid === numberOf('-u'))
      .map(({ pid }) => pid);
  }

  async function noneLeft(): Promise<void> {
    await until('the end of all processes of the job', 20_000, async () =>
      jobProcesses().length === 0 ? true : undefined,
    );
  }

  test('run as that account, with its files, and cannot reach the journal', async () => {
    const runner = start();
    const journal = join(runner.folder, 'state', 'journal');
    const id = await bench.submit(
      scriptJob({
        script: [
          'echo "I am $(id -un)"',
          'cat "$SECRET_FILE"; echo',
          'stat -c "secret of %U" "$SECRET_FILE"',
          'echo made > made; stat -c "made by %U" made',
          `ls ${journal} || echo "no way to the journal"`,
          `cat ${join(runner.folder, 'config.toml')} || echo "no way to the configuration"`,
        ],
        afterScript: ['echo "after as $(id -un)"'],
        moreVariables: [secretFile],
      }),
    );
    const view = await bench.finished(id);
    const lines = plainTrace(await bench.trace(id)).split('\n');
    expect(view, lines.join('\n')).toMatchObject({ status: 'success', trace_report: { is_equal: true } });
    for (const line of [
      `I am ${account}`,
      secret,
      `secret of ${account}`,
      `made by ${account}`,
      'no way to the journal',
      `after as ${account}`,
    ]) {
      expect(lines).toContain(line);
    }
    expect(filesHolding(runner.buildsFolder, secret)).toEqual([]);
    expect(statSync(journal).mode & 0o077).toBe(0);
    expect(statSync(journal).uid).toBe(0);
  });

  test('are canceled with all their processes', async () => {
    const runner = start();
    const id = await bench.submit(
      scriptJob({
        // A job that says something hears of it soon.
        script: [
          '(setsid sleep 1000 >/dev/null 2>&1 &)',
          'sleep 1000 & echo started',
          'while :; do echo going on; sleep 0.2; done',
        ],
        afterScript: ['echo "cleaning up as $(id -un)"'],
        moreVariables: [secretFile],
      }),
    );
    await bench.traceShows(id, 'started');
    expect(jobProcesses().length).toBeGreaterThan(2);
    await bench.api('POST', `jobs/${id}/cancel`);
    expect(await bench.finished(id)).toMatchObject({ status: 'canceled' });
    expect(plainTrace(await bench.trace(id))).toContain(`cleaning up as ${account}\n`);
    await noneLeft();
    expect(filesHolding(runner.buildsFolder, secret)).toEqual([]);
  });

  test('leave no file variable behind when they are stopped at once', async () => {
    const runner = start();
    const id = await bench.submit(
      scriptJob({ script: ['echo started', 'sleep 1000'], timeoutSeconds: 2, moreVariables: [secretFile] }),
    );
    expect(await bench.finished(id)).toMatchObject({ status: 'failed', failure_reason: 'job_execution_timeout' });
    await noneLeft();
    await until('the journal to be empty', 20_000, async () =>
      readdirSync(join(runner.folder, 'state', 'journal', 'jobs')).length === 0 ? true : undefined,
    );
    expect(filesHolding(runner.buildsFolder, secret)).toEqual([]);
  });

  test('survive their manager', async () => {
    const first = start();
    const go = join(temporary, 'go');
    const id = await bench.submit(
      scriptJob({
        script: [
          `i=0; while [ ! -e ${go} ]; do i=$((i+1)); echo "line $i"; sleep 0.05; done; echo "total $i"`,
          'cat "$SECRET_FILE"; echo',
        ],
        afterScript: ['echo "after as $(id -un)"'],
        moreVariables: [secretFile],
      }),
    );
    await bench.traceShows(id, 'line 3');
    first.kill('SIGKILL');
    await first.ended;
    const second = start();
    await until('the job to be taken up', 20_000, async () =>
      second.log().includes('Added job to processing list') ? true : undefined,
    );
    execFileSync('touch', [go]);
    expect(await bench.finished(id)).toMatchObject({ status: 'success', trace_report: { is_equal: true } });
    const lines = plainTrace(await bench.trace(id)).split('\n');
    const total = Number(lines.find((line) => line.startsWith('total '))?.slice(6));
    expect(lines.filter((line) => line.startsWith('line '))).toEqual(
      Array.from({ length: total }, (_, index) => `line ${index + 1}`),
    );
    expect(lines).toContain(`after as ${account}`);
    expect(lines).toContain(secret);
    await listensToSignals(second);
    second.kill('SIGTERM');
    expect(await second.ended).toBe(0);
    await noneLeft();
    expect(filesHolding(second.buildsFolder, secret)).toEqual([]);
  });

  test('end when their processes are killed while no manager lives', async () => {
    const first = start();
    const id = await bench.submit(
      scriptJob({ script: ['echo last words', 'sleep 1000'], moreVariables: [secretFile] }),
    );
    await bench.traceShows(id, 'last words');
    first.kill('SIGKILL');
    await first.ended;
    killAll(processesWith(`USER_TEST=${bench.folder}\0`));
    const second = start();
    expect(await bench.finished(id)).toMatchObject({ status: 'failed', failure_reason: 'runner_system_failure' });
    await noneLeft();
    expect(filesHolding(second.buildsFolder, secret)).toEqual([]);
  });
});
