import { spawn } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { closeDockerBench, makeHelperImage, removeHelperImage, startDockerRunner } from '../support/docker-bench.ts';
import { dockerHost, hasDocker } from '../support/docker-daemon.ts';
import { plainTrace, RunnerBench, type RunnerProcess, scriptJob } from '../support/runner-bench.ts';

beforeAll(() => {
  if (hasDocker()) makeHelperImage();
});
afterAll(() => {
  if (hasDocker()) removeHelperImage();
});

let bench: RunnerBench;
beforeEach(async () => {
  bench = await RunnerBench.start();
});
afterEach(async () => {
  expect(await closeDockerBench(bench)).toEqual([]);
});

/** Kills a manager at the first thing of its job that the daemon tells of and that is as wanted. */
function killAt(runner: RunnerProcess, filters: readonly string[], count = 1): Promise<void> {
  const args = filters.flatMap((filter) => ['--filter', filter]);
  const events = spawn('docker', ['-H', dockerHost(), 'events', '--format', '{{.Action}}', ...args]);
  return new Promise((resolve) => {
    let seen = 0;
    events.stdout.on('data', (text: Buffer) => {
      seen += text.toString().split('\n').length - 1;
      if (seen < count) return;
      runner.kill('SIGKILL');
      events.kill();
      resolve();
    });
  });
}

const ours = 'label=com.gitlab.gitlab-runner.project.id=4711';

describe.skipIf(!hasDocker())('a manager that is killed', () => {
  const script = [
    'i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo "line $i out"; echo "line $i err" >&2; sleep 0.05; done',
    'echo script done',
  ];
  const payload = scriptJob({
    script,
    afterScript: ['echo "after with $CI_JOB_STATUS"', 'sleep 1', 'echo after done'],
    variables: { FF_NETWORK_PER_BUILD: 'true' },
    payload: {
      job_info: { name: 'killed', stage: 'test', project_id: 4711, project_name: 'project' },
      cache: [{ key: 'k', untracked: false, policy: 'push', when: 'on_success', paths: ['cached'] }],
    },
  });

  async function expectWhole(id: number): Promise<void> {
    const job = await bench.finished(id);
    const text = plainTrace(await bench.trace(id));
    const lines = text.split('\n');
    expect({ status: job.status, isEqual: job.trace_report?.is_equal, text }, text).toMatchObject({
      status: 'success',
      isEqual: true,
    });
    const wanted = Array.from({ length: 30 }, (_, index) => index + 1);
    expect(lines.filter((line) => line.endsWith(' out'))).toEqual(wanted.map((n) => `line ${n} out`));
    expect(lines.filter((line) => line.endsWith(' err'))).toEqual(wanted.map((n) => `line ${n} err`));
    for (const once of ['script done', 'after with success', 'after done', 'Job succeeded']) {
      expect(lines.filter((line) => line === once)).toEqual([once]);
    }
  }

  test.each([
    ['as the network is made', ['type=network', 'event=create'], 1],
    ['as the volume is mounted', ['type=volume', 'event=mount'], 1],
    ['as the first container is made', [ours, 'type=container', 'event=create'], 1],
    ['as the second container is made', [ours, 'type=container', 'event=create'], 2],
    ['as the helper starts', [ours, 'type=container', 'event=start'], 1],
    ['as the script starts', [ours, 'type=container', 'event=start'], 2],
    ['as the script ends', [ours, 'type=container', 'event=die'], 1],
    ['as after_script starts', [ours, 'type=container', 'event=start'], 3],
    ['as after_script ends', [ours, 'type=container', 'event=die'], 2],
  ] as const)('%s', async (_when, filters, count) => {
    const first = startDockerRunner(bench, [], 'killed');
    const killed = killAt(first, filters, count);
    const id = await bench.submit(payload);
    await killed;
    await first.ended;
    startDockerRunner(bench, [], 'killed');
    await expectWhole(id);
  });

  test.each(['line 7 out', 'after with success', 'Saving cache', 'Getting source'])(
    'as the trace shows "%s"',
    async (shown) => {
      const first = startDockerRunner(bench, [], 'killed');
      const id = await bench.submit(payload);
      await bench.traceShows(id, shown);
      first.kill('SIGKILL');
      await first.ended;
      startDockerRunner(bench, [], 'killed');
      await expectWhole(id);
    },
  );
});
