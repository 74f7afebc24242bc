import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { filesHolding } from '../support/files-below.ts';
import { killAll, processesWith } from '../support/job-processes.ts';
import { millrace, plainTrace, RunnerBench, scriptJob, until } from '../support/runner-bench.ts';

let bench: RunnerBench;
beforeEach(async () => {
  bench = await RunnerBench.start();
});
afterEach(async () => {
  await bench.close();
});

/** A script that writes numbered lines until it is told to end, by a file. */
function countingScript(go: string): readonly string[] {
  return [
    `i=0; while [ ! -e ${go} ]; do i=$((i+1)); echo "line $i out"; echo "line $i err" >&2; sleep 0.05; done`,
    'echo "total $i"',
    'cat "$SECRET_FILE" && echo',
    'echo done > "$CI_PROJECT_DIR/result"',
  ];
}

describe('a killed manager', () => {
  test('its job is carried on as if nothing had happened, after_script included', async () => {
    const go = join(bench.folder, 'go');
    const first = bench.startRunner(millrace(), { name: 'killed' });
    const id = await bench.submit(
      scriptJob({
        script: countingScript(go),
        afterScript: ['echo "after with $CI_JOB_STATUS"'],
        moreVariables: [{ key: 'SECRET_FILE', value: 'file-secret-1', file: true, masked: true }],
      }),
    );
    await bench.traceShows(id, 'line 5 out');
    first.kill('SIGKILL');
    await first.ended;
    const second = bench.startRunner(millrace(), { name: 'killed' });
    await until('the second manager to go on', 20_000, async () =>
      second.log().includes('Added job to processing list') ? true : undefined,
    );
    const before = (await bench.trace(id)).length;
    await until('more of the trace', 20_000, async () => ((await bench.trace(id)).length > before ? true : undefined));
    writeFileSync(go, '');
    const job = await bench.finished(id);
    expect(job).toMatchObject({ status: 'success', trace_report: { is_equal: true } });
    const lines = plainTrace(await bench.trace(id)).split('\n');
    const total = Number(/^total (\d+)$/m.exec(lines.join('\n'))?.[1]);
    expect(total).toBeGreaterThan(5);
    const wanted = Array.from({ length: total }, (_, index) => index + 1);
    expect(lines.filter((line) => line.endsWith(' out'))).toEqual(wanted.map((n) => `line ${n} out`));
    expect(lines.filter((line) => line.endsWith(' err'))).toEqual(wanted.map((n) => `line ${n} err`));
    expect(lines.filter((line) => line.startsWith('Running with'))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('Executing "step_script"'))).toHaveLength(1);
    expect(lines.filter((line) => line === '$ cat "$SECRET_FILE" && echo')).toHaveLength(1);
    expect(lines).toContain('[MASKED]');
    expect(lines).toContain('after with success');
    expect(lines.at(-2)).toBe('Job succeeded');
    expect(filesHolding(second.buildsFolder, 'file-secret-1')).toEqual([]);
    await until('an empty journal', 10_000, async () =>
      readdirSync(join(second.folder, 'state', 'journal', 'jobs')).length === 0 ? true : undefined,
    );
  });

  test('a job that ended while no manager lived is reported with its real result', async () => {
    const go = join(bench.folder, 'go');
    const first = bench.startRunner(millrace(), { name: 'killed' });
    const id = await bench.submit(
      scriptJob({
        script: ['echo started', `while [ ! -e ${go} ]; do sleep 0.05; done`, 'echo after the kill', 'exit 7'],
      }),
    );
    await bench.traceShows(id, 'started');
    first.kill('SIGKILL');
    await first.ended;
    writeFileSync(go, '');
    await until('the script to end', 20_000, async () =>
      processesWith(`HOME=${bench.folder}`).length === 0 ? true : undefined,
    );
    bench.startRunner(millrace(), { name: 'killed' });
    expect(await bench.finished(id, 10_000)).toMatchObject({
      status: 'failed',
      failure_reason: 'script_failure',
      exit_code: 7,
    });
    const text = plainTrace(await bench.trace(id));
    expect(text.match(/^started$/gm)).toHaveLength(1);
    expect(text.match(/^after the kill$/gm)).toHaveLength(1);
  });

  test('a script that died with it fails as a system failure, with every byte it wrote', async () => {
    const first = bench.startRunner(millrace(), { name: 'killed' });
    const id = await bench.submit(scriptJob({ script: ['echo "pid $$"', 'echo last words', 'sleep 1000'] }));
    await bench.traceShows(id, 'last words');
    first.kill('SIGKILL');
    await first.ended;
    killAll(processesWith(`HOME=${bench.folder}`));
    bench.startRunner(millrace(), { name: 'killed' });
    expect(await bench.finished(id)).toMatchObject({ status: 'failed', failure_reason: 'runner_system_failure' });
    expect(plainTrace(await bench.trace(id))).toContain('last words\n');
  });

  test('a job that was canceled while no manager lived ends as canceled', async () => {
    const first = bench.startRunner(millrace(), { name: 'killed' });
    const id = await bench.submit(
      scriptJob({ script: ['echo started', 'sleep 1000'], afterScript: ['echo cleaning up'] }),
    );
    await bench.traceShows(id, 'started');
    first.kill('SIGKILL');
    await first.ended;
    await bench.api('POST', `jobs/${id}/cancel`);
    bench.startRunner(millrace(), { name: 'killed' });
    expect(await bench.finished(id)).toMatchObject({ status: 'canceled' });
    expect(plainTrace(await bench.trace(id))).toContain('cleaning up\n');
  });

  test('leaves no shell that was started ahead, for a job or for none', async () => {
    const first = bench.startRunner(millrace(), { name: 'killed' });
    const id = await bench.submit(scriptJob({ script: ['true'] }));
    await bench.finished(id);
    // The shell is kept for the next job once this one is over.
    await until('a shell that waits', 10_000, async () => (shellsOf(bench).length > 0 ? true : undefined));
    first.kill('SIGKILL');
    await first.ended;
    await until('no shell any more', 10_000, async () => (shellsOf(bench).length === 0 ? true : undefined));
    const scratch = join(first.folder, 'state', 'journal', 'scratch');
    expect(readdirSync(scratch)).toHaveLength(1);
    const second = bench.startRunner(millrace(), { name: 'killed' });
    await until('nothing of the dead manager', 10_000, async () =>
      readdirSync(scratch).length === 0 ? true : undefined,
    );
    second.kill('SIGQUIT');
    await second.ended;
  });

  test('a manager that stops ends the shell it kept for the next job, and leaves nothing of it', async () => {
    const runner = bench.startRunner(millrace(), { name: 'stopped' });
    await bench.finished(await bench.submit(scriptJob({ script: ['true'] })));
    await until('a shell that waits', 10_000, async () => (shellsOf(bench).length > 0 ? true : undefined));
    runner.kill('SIGTERM');
    await runner.ended;
    expect(shellsOf(bench)).toEqual([]);
    expect(readdirSync(join(runner.folder, 'state', 'journal', 'scratch'))).toEqual([]);
  });
});

function shellsOf({ folder }: RunnerBench): readonly string[] {
  return processesWith(`${folder}/`)
    .map(({ command }) => command)
    .filter((command) => command.startsWith('bash -l') || command.includes('supervise'));
}
