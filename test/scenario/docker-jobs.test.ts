import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  closeDockerBench,
  helperImage,
  makeHelperImage,
  removeHelperImage,
  startDockerRunner,
} from '../support/docker-bench.ts';
import { docker, hasDocker } from '../support/docker-daemon.ts';
import { startGitHttpServer } from '../support/git-http-server.ts';
import { millrace, plainTrace, RunnerBench, type RunnerProcess, scriptJob, until } from '../support/runner-bench.ts';

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

function startRunner(lines: readonly string[] = [], name = 'docker'): RunnerProcess {
  return startDockerRunner(bench, lines, name);
}

async function run(payload: Parameters<typeof scriptJob>[0], lines: readonly string[] = []) {
  startRunner(lines);
  const job = await bench.finished(await bench.submit(scriptJob(payload)));
  return { job, text: plainTrace(await bench.trace(job.id)) };
}

/** @returns the commit */
function makeRepository(folder: string, origin: string): string {
  const work = join(folder, 'work');
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd: work, encoding: 'utf8' });
  mkdirSync(work, { recursive: true });
  git('init', '-q', '-b', 'main');
  writeFileSync(join(work, 'README'), 'from the repository\n');
  git('add', '.');
  git('commit', '-q', '-m', 'first');
  execFileSync('git', ['clone', '-q', '--bare', work, origin]);
  return git('rev-parse', 'HEAD').trim();
}

const image = (name: string, more: Readonly<Record<string, unknown>> = {}) => ({ image: { name, ...more } });

describe.skipIf(!hasDocker())('jobs in containers', () => {
  test('a script runs in the image, and no helper is started for it', async () => {
    const { job, text } = await run({ script: ['cat /etc/hostname', 'pwd', 'echo "$CI_PROJECT_DIR"'] });
    expect(job.status).toBe('success');
    expect(text).toContain('Using Docker executor with image busybox:test ...');
    expect(text).not.toContain(helperImage);
    expect(text).toMatch(/^Running on runner-.*-project-17-concurrent-0 via /m);
    expect(text.match(/^\/builds\/group\/project$/gm)).toHaveLength(2);
  });

  test.each([1, 2, 130, 137])('exit code %d is the job’s', async (code) => {
    const { job, text } = await run({ script: [`exit ${code}`] });
    expect(job).toMatchObject({ status: 'failed', failure_reason: 'script_failure', exit_code: code });
    expect(text).toContain(`ERROR: Job failed: exit code ${code}`);
  });

  test('files of the script are there in after_script, its processes are not', async () => {
    const { job, text } = await run({
      script: ['echo kept > /file', 'sleep 1000 &', 'exit 3'],
      afterScript: ['cat /file', 'ps | grep -c "[s]leep 1000" || true', 'echo "was $CI_JOB_STATUS"'],
    });
    expect(job).toMatchObject({ status: 'failed', exit_code: 3 });
    expect(text).toMatch(/^kept$/m);
    expect(text).toMatch(/^0$/m);
    expect(text).toMatch(/^was failed$/m);
  });

  test('a canceled script that ignores SIGTERM is ended, then after_script runs', async () => {
    startRunner();
    const script = ["trap '' TERM", 'echo started', 'while :; do sleep 1; echo on; done'];
    const id = await bench.submit(scriptJob({ script, afterScript: ['echo cleaning up'] }));
    await bench.traceShows(id, 'started');
    await bench.api('POST', `jobs/${id}/cancel`);
    expect(await bench.finished(id)).toMatchObject({ status: 'canceled' });
    expect(plainTrace(await bench.trace(id))).toContain('cleaning up\n');
  });

  test('a script timeout ends the script', async () => {
    const { job, text } = await run({
      script: ['echo started', 'sleep 1000'],
      afterScript: ['echo after'],
      variables: { RUNNER_SCRIPT_TIMEOUT: '2s' },
    });
    expect(job).toMatchObject({ status: 'failed', failure_reason: 'job_execution_timeout' });
    expect(text).toContain('started\n');
    expect(text).toContain('after\n');
  });

  test('a stage of the helper that ignores SIGTERM is ended by its timeout', async () => {
    const hook = 'pre_get_sources_script = "trap \'\' TERM; echo in the hook; while :; do sleep 1; done"';
    startDockerRunner(bench, [], 'docker', [hook, 'get_sources_timeout = "2s"']);
    const id = await bench.submit(scriptJob({ script: ['true'], variables: { GIT_STRATEGY: 'fetch' } }));
    expect(await bench.finished(id)).toMatchObject({ status: 'failed', failure_reason: 'job_execution_timeout' });
    const text = plainTrace(await bench.trace(id));
    expect(text).toContain('in the hook\n');
    expect(text).toContain('get sources timeout');
  });

  test('a daemon that is not there is a system failure that says so', async () => {
    bench.startRunner(millrace(), {
      executor: 'docker',
      environment: { DOCKER_HOST: `unix://${bench.folder}/none.sock` },
      runnerLines: ['[runners.docker]', 'image = "busybox:test"'],
    });
    const job = await bench.finished(await bench.submit(scriptJob({ script: ['true'] })));
    expect(job).toMatchObject({ status: 'failed', failure_reason: 'runner_system_failure' });
    expect(plainTrace(await bench.trace(job.id))).toContain('none.sock');
  });

  test('an entrypoint has its effect on the script', async () => {
    const entrypoint = ['sh', '-c', 'export FROM_ENTRYPOINT=yes; exec "$@"', 'entry'];
    const { job, text } = await run({
      script: ['echo "entrypoint: $FROM_ENTRYPOINT"'],
      payload: image('busybox:test', { entrypoint }),
    });
    expect(job.status).toBe('success');
    expect(text).toContain('entrypoint: yes\n');
  });

  test.each([[['']], [['/bin/sh', '-c']]])('the entrypoint %j works', async (entrypoint) => {
    const { job, text } = await run({ script: ['echo it runs'], payload: image('busybox:test', { entrypoint }) });
    expect(job.status).toBe('success');
    expect(text).toContain('it runs\n');
  });

  test('what an entrypoint says and its failure are the job’s', async () => {
    const entrypoint = ['sh', '-c', 'echo cannot start; exit 9'];
    const { job, text } = await run({ script: ['true'], payload: image('busybox:test', { entrypoint }) });
    expect(job).toMatchObject({ status: 'failed', exit_code: 9 });
    expect(text).toContain('cannot start\n');
  });

  test('a script that uses up the memory is told so', async () => {
    const { job, text } = await run({ script: ['head -c 200m /dev/zero | tail > /dev/null'] }, [
      'memory = "32m"',
      'memory_swap = "32m"',
    ]);
    expect(job).toMatchObject({ status: 'failed', failure_reason: 'script_failure', exit_code: 137 });
    expect(text).toContain('ran out of memory');
  });

  test('a user and a missing image', async () => {
    const { text } = await run({
      script: ['id -u'],
      payload: image('busybox:test', { executor_opts: { docker: { user: '1234' } } }),
    });
    expect(text).toMatch(/^1234$/m);
    const id = await bench.submit(scriptJob({ script: ['true'], payload: image('127.0.0.1:9/absent:1') }));
    expect((await bench.finished(id)).status).toBe('failed');
  });

  test('a service is reached by its names', async () => {
    const service = {
      name: 'busybox:test',
      alias: 'web,other',
      entrypoint: ['sh', '-c'],
      command: ['while :; do echo -e "HTTP/1.0 200 OK\\r\\n\\r\\nhello $WHO" | nc -l -p 8080; done'],
      variables: [
        { key: 'WHO', value: 'service', public: true },
        { key: 'HEALTHCHECK_TCP_PORT', value: '8080', public: true },
      ],
    };
    const { job, text } = await run({
      script: ['sleep 1; wget -qO- http://web:8080/', 'sleep 1; wget -qO- http://busybox:8080/'],
      payload: { services: [service] },
    });
    expect(text.match(/^hello service$/gm)).toHaveLength(2);
    expect(text).not.toContain('WARNING');
    expect(job.status).toBe('success');
  });

  test('a service that does not come up is only a warning', async () => {
    const service = { name: 'busybox:test', alias: 'web', entrypoint: ['sh', '-c'], command: ['echo no luck; exit 1'] };
    const { job, text } = await run({ script: ['true'], payload: { services: [service] } });
    expect(job.status).toBe('success');
    expect(text).toContain("probably didn't start properly.");
    expect(text).toContain('has no exposed ports');
    expect(text).toContain('no luck');
  });

  test('a network of the job lets services and script find each other', async () => {
    const service = { name: 'busybox:test', alias: 'peer', entrypoint: ['sh', '-c'], command: ['sleep 300'] };
    const { job, text } = await run({
      script: ['ping -c 1 peer >/dev/null && echo reached', 'ping -c 1 build >/dev/null && echo self'],
      variables: { FF_NETWORK_PER_BUILD: 'true' },
      payload: { services: [service] },
    });
    expect(text).toContain('reached\n');
    expect(text).toContain('self\n');
    expect(job.status).toBe('success');
  });

  test('a cache volume is there for the next job, a temporary one is not', async () => {
    startRunner(['volumes = ["/kept"]']);
    for (const expected of ['1', '2']) {
      const script = ['echo x >> /kept/file', 'echo y >> /builds/file', 'wc -l < /kept/file', 'wc -l < /builds/file'];
      const id = await bench.submit(scriptJob({ script }));
      expect((await bench.finished(id)).status).toBe('success');
      expect(plainTrace(await bench.trace(id)).match(/^\d+$/gm)).toEqual([expected, '1']);
    }
  });

  test('sources, cache and artifacts go through one helper container', async () => {
    const origin = join(bench.folder, 'repositories', 'project.git');
    const sha = makeRepository(bench.folder, origin);
    await using server = await startGitHttpServer(join(bench.folder, 'repositories'), bench.folder);
    const url = new URL(server.url);
    startRunner(['network_mode = "host"', 'volumes = ["/cache"]']);
    const payload = {
      git_info: {
        ...(scriptJob({ script: [] })['git_info'] as object),
        repo_url: `http://gitlab-ci-token:token@${url.host}/any/project.git`,
        sha,
      },
      cache: [{ key: 'k', untracked: false, policy: 'pull-push', when: 'on_success', paths: ['cached'] }],
      artifacts: [{ name: 'out', paths: ['result.txt'], when: 'on_success', artifact_type: 'archive' }],
    };
    const script = ['cat README', 'mkdir -p cached', 'echo once more >> cached/file', 'cp cached/file result.txt'];
    for (const lines of [1, 2]) {
      const id = await bench.submit(scriptJob({ script, variables: { GIT_STRATEGY: 'fetch' }, payload }));
      const job = await bench.finished(id);
      const text = plainTrace(await bench.trace(id));
      expect(text).toContain('from the repository\n');
      expect(text).toContain(lines === 1 ? 'Creating cache k' : 'Successfully extracted cache');
      expect(job).toMatchObject({ status: 'success', artifacts: [{ type: 'archive' }] });
    }
  });

  test('a manager that is killed in the script is followed by one that carries on', async () => {
    const first = startRunner([], 'killed');
    const script = [
      'i=0; while [ ! -e /tmp/go ]; do i=$((i+1)); echo "line $i out"; echo "line $i err" >&2; sleep 0.05; done',
      'echo "total $i"',
    ];
    const id = await bench.submit(scriptJob({ script, afterScript: ['echo "after with $CI_JOB_STATUS"'] }));
    await bench.traceShows(id, 'line 5 out');
    first.kill('SIGKILL');
    await first.ended;
    const [container = ''] = docker('ps', '-q', '--filter', `label=com.gitlab.gitlab-runner.job.id=${id}`).split('\n');
    startRunner([], 'killed');
    const before = (await bench.trace(id)).length;
    await until('more of the trace', 20_000, async () => ((await bench.trace(id)).length > before ? true : undefined));
    docker('exec', container, 'touch', '/tmp/go');
    const job = await bench.finished(id);
    const lines = plainTrace(await bench.trace(id)).split('\n');
    expect(job).toMatchObject({ status: 'success', trace_report: { is_equal: true } });
    const total = Number(/^total (\d+)$/m.exec(lines.join('\n'))?.[1]);
    expect(total).toBeGreaterThan(5);
    const wanted = Array.from({ length: total }, (_, index) => index + 1);
    expect(lines.filter((line) => line.endsWith(' out'))).toEqual(wanted.map((n) => `line ${n} out`));
    expect(lines.filter((line) => line.endsWith(' err'))).toEqual(wanted.map((n) => `line ${n} err`));
    expect(lines).toContain('after with success');
  });
});
