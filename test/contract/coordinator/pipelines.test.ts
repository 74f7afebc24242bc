import { describe, expect, test } from 'vitest';
import { eventually, type Harness, startHarness, type TakenJob } from './harness.ts';

async function startNamed(harness: Harness, ...names: readonly string[]): Promise<readonly TakenJob[]> {
  const jobs: TakenJob[] = [];
  for (const _ of names) jobs.push(await harness.startJob());
  return names.map((name) => {
    const job = jobs.find((candidate) => (candidate.payload['job_info'] as { name?: string }).name === name);
    if (job === undefined) throw new Error(`${name} was not handed out`);
    return job;
  });
}

const success = { state: 'success' };
const failure = { state: 'failed', failure_reason: 'script_failure', exit_code: 1 };

describe('the graph', () => {
  test('stages wait for each other, jobs with needs only for those', async () => {
    const harness = await startHarness();
    const pipeline = await harness.submit([
      { name: 'slow', stage: 'build' },
      { name: 'quick', stage: 'build' },
      { name: 'early', stage: 'deploy', needs: [{ job: 'quick' }] },
      { name: 'late', stage: 'test' },
    ]);
    const [slow, quick] = await startNamed(harness, 'slow', 'quick');
    expect((await harness.requestJob()).status).toBe(204);
    await harness.update(quick as TakenJob, success);
    const [early] = await startNamed(harness, 'early');
    expect((await harness.requestJob()).status).toBe(204);
    await harness.update(early as TakenJob, success);
    await harness.update(slow as TakenJob, success);
    await harness.runJob();
    expect(await harness.statuses(pipeline)).toEqual({
      slow: 'success',
      quick: 'success',
      early: 'success',
      late: 'success',
    });
    expect((await harness.admin('GET', `pipelines/${pipeline}`)).json()).toMatchObject({
      status: 'success',
      finished_at: expect.any(String),
    });
  });

  test('on_failure, always and allowed failures', async () => {
    const harness = await startHarness();
    const pipeline = await harness.submit([
      { name: 'bad', stage: 'build' },
      { name: 'normal', stage: 'test' },
      { name: 'rescue', stage: 'test', when: 'on_failure' },
      { name: 'always', stage: 'deploy', when: 'always' },
    ]);
    await harness.runJob(failure);
    await harness.runJob();
    await harness.runJob();
    expect(await harness.statuses(pipeline)).toEqual({
      bad: 'failed',
      normal: 'skipped',
      rescue: 'success',
      always: 'success',
    });
    expect((await harness.admin('GET', `pipelines/${pipeline}`)).json()['status']).toBe('failed');
  });

  test('exit codes that may fail', async () => {
    const harness = await startHarness();
    const pipeline = await harness.submit([
      { name: 'odd', stage: 'build', allow_failure_exit_codes: [42] },
      { name: 'next', stage: 'test' },
    ]);
    await harness.runJob({ ...failure, exit_code: 42 });
    await harness.runJob();
    expect((await harness.admin('GET', `pipelines/${pipeline}`)).json()['status']).toBe('success');
  });

  test('a retry is a new job of the same name', async () => {
    const harness = await startHarness();
    const retry = { max: 1, when: ['script_failure'], exit_codes: [] };
    const pipeline = await harness.submit([{ name: 'a', stage: 'build', retry }, { name: 'b' }]);
    const first = await harness.runJob(failure);
    const second = await harness.startJob();
    expect(second.id).not.toBe(first.id);
    expect((await harness.admin('GET', `pipelines/${pipeline}`)).json()['status']).toBe('running');
    await harness.update(second, failure);
    expect(await harness.statuses(pipeline)).toEqual({ a: 'failed', b: 'skipped' });
  });

  test('auto-cancel on failure', async () => {
    const harness = await startHarness();
    const jobs = [{ name: 'bad' }, { name: 'other' }, { name: 'waiting' }, { name: 'next', stage: 'deploy' }];
    const pipeline = await harness.submit(jobs, { cancel_on_job_failure: true });
    const [bad, other] = await startNamed(harness, 'bad', 'other');
    await harness.update(bad as TakenJob, failure);
    expect(await harness.statuses(pipeline)).toEqual({
      bad: 'failed',
      other: 'canceling',
      waiting: 'canceled',
      next: 'canceled',
    });
    await harness.update(other as TakenJob, failure);
    expect((await harness.admin('GET', `pipelines/${pipeline}`)).json()['status']).toBe('failed');
  });

  test('one job of a resource group at a time, across pipelines', async () => {
    const harness = await startHarness();
    const one = await harness.submit([{ name: 'a', resource_group: 'production' }]);
    const two = await harness.submit([{ name: 'b', resource_group: 'production' }]);
    const a = await harness.startJob();
    expect(await harness.statuses(two)).toEqual({ b: 'waiting_for_resource' });
    await harness.update(a, success);
    expect(await harness.statuses(two)).toEqual({ b: 'pending' });
    await harness.runJob();
    expect(await harness.statuses(one)).toEqual({ a: 'success' });
  });

  test('a delayed job starts by itself, or by hand', async () => {
    const harness = await startHarness();
    const pipeline = await harness.submit([
      { name: 'soon', when: 'delayed', start_in_seconds: 0 },
      { name: 'later', when: 'delayed', start_in_seconds: 3600 },
    ]);
    await eventually(
      () => harness.statuses(pipeline),
      (statuses) => statuses['soon'] === 'pending',
    );
    const view = (await harness.admin('GET', `pipelines/${pipeline}`)).json();
    const later = (view['jobs'] as readonly { id: number; status: string }[])[1];
    expect(later?.status).toBe('scheduled');
    await harness.admin('POST', `jobs/${later?.id}/play`);
    expect((await harness.statuses(pipeline))['later']).toBe('pending');
  });
});

describe('manual jobs', () => {
  test('block, are played with variables, and wake what was skipped', async () => {
    const harness = await startHarness();
    const pipeline = await harness.submit([
      { name: 'gate', stage: 'build', when: 'manual', variables_above_dotenv: [{ key: 'WHO', value: 'project' }] },
      { name: 'next' },
    ]);
    const blocked = (await harness.admin('GET', `pipelines/${pipeline}`)).json();
    expect(blocked).toMatchObject({ status: 'manual', is_blocked: true });
    const events = await harness.events(pipeline);
    expect(events.at(-1)).toMatchObject({ type: 'pipeline', status: 'manual' });
    const gate = (blocked['jobs'] as readonly { id: number }[])[0]?.id;
    await harness.admin('POST', `jobs/${gate}/play`, { variables: [{ key: 'WHO', value: 'hand' }] });
    const job = await harness.startJob();
    const variables = job.payload['variables'] as readonly { key: string; value: string }[];
    expect(variables.findLast((variable) => variable.key === 'WHO')?.value).toBe('hand');
    await harness.update(job, success);
    await harness.runJob();
    const more = await harness.events(pipeline, events.length);
    expect(more.at(-1)).toMatchObject({ type: 'pipeline', status: 'success' });
  });

  test('optional ones do not block; what needs them is skipped until they are played', async () => {
    const harness = await startHarness();
    const pipeline = await harness.submit([
      { name: 'optional', stage: 'build', when: 'manual', allow_failure: true },
      { name: 'needing', needs: [{ job: 'optional' }] },
      { name: 'other' },
    ]);
    await harness.runJob();
    expect(await harness.statuses(pipeline)).toEqual({ optional: 'manual', needing: 'skipped', other: 'success' });
    expect((await harness.admin('GET', `pipelines/${pipeline}`)).json()['status']).toBe('success');
    await harness.admin('POST', 'jobs/1/play', {});
    expect(await harness.statuses(pipeline)).toEqual({ optional: 'pending', needing: 'created', other: 'success' });
    await harness.runJob();
    await harness.runJob();
    expect((await harness.statuses(pipeline))['needing']).toBe('success');
    expect((await harness.admin('POST', 'jobs/1/play', {})).status).toBe(409);
  });

  test('`play` starts them at once', async () => {
    const harness = await startHarness();
    const pipeline = await harness.submit([{ name: 'm', when: 'manual' }], { play: ['m'] });
    expect(await harness.statuses(pipeline)).toEqual({ m: 'pending' });
  });
});

describe('stopping a pipeline', () => {
  test('cancel lets running jobs clean up, abort does not', async () => {
    const harness = await startHarness();
    const pipeline = await harness.submit([
      { name: 'running' },
      { name: 'pending' },
      { name: 'created', stage: 'deploy' },
      { name: 'manual', when: 'manual', allow_failure: true },
    ]);
    const job = await harness.startJob();
    await harness.admin('POST', `pipelines/${pipeline}/cancel`);
    expect(await harness.statuses(pipeline)).toEqual({
      running: 'canceling',
      pending: 'canceled',
      created: 'canceled',
      manual: 'manual',
    });
    await harness.admin('POST', `pipelines/${pipeline}/abort`);
    expect((await harness.update(job, failure)).status).toBe(403);
    const end = (await harness.events(pipeline)).at(-1);
    expect(end).toMatchObject({ type: 'pipeline', status: 'canceled' });
  });
});

describe('payloads', () => {
  test('hold what only the coordinator knows', async () => {
    const harness = await startHarness();
    await harness.submit([
      {
        name: 'a',
        variables_below_dotenv: [
          { key: 'URL', value: 'job $CI_JOB_ID' },
          { key: 'CI_SERVER_HOST', value: 'gitlab.example.com' },
        ],
      },
    ]);
    const { payload, id, token } = await harness.takeJob();
    const { url } = harness.coordinator;
    const variables = payload['variables'] as readonly Record<string, unknown>[];
    const last = (key: string) => variables.findLast((variable) => variable['key'] === key);
    expect(last('URL')).toMatchObject({ value: `job ${id}` });
    expect(last('CI_JOB_TOKEN')).toMatchObject({ value: token, masked: true, public: false });
    expect(last('CI_SERVER_HOST')).toMatchObject({ value: 'gitlab.example.com' });
    expect(last('CI_API_V4_URL')).toMatchObject({ value: `${url}/api/v4` });
    expect(last('CI_JOB_URL')).toMatchObject({ value: `${url}/group/project/-/jobs/${id}` });
    expect(payload['git_info']).toMatchObject({
      repo_url: url.replace('http://', `http://gitlab-ci-token:${token}@`).concat('/group/project.git'),
      refspecs: [`+${'1'.repeat(40)}:refs/pipelines/1`, '+refs/heads/main:refs/remotes/origin/main'],
      depth: 20,
    });
    expect(payload['features']).toMatchObject({
      trace_sections: true,
      token_mask_prefixes: [],
      failure_reasons: expect.arrayContaining(['script_failure', 'runner_interrupted']),
    });
    expect(payload).not.toHaveProperty('run');
  });

  test('only chosen jobs, and what they need', async () => {
    const harness = await startHarness();
    const jobs = [
      { name: 'a', stage: 'build' },
      { name: 'b', stage: 'build' },
      { name: 'c', needs: [{ job: 'a' }] },
    ];
    const alone = await harness.submit(jobs, { only_jobs: ['c'] });
    expect(await harness.statuses(alone)).toEqual({ c: 'pending' });
    const withNeeds = await harness.submit(jobs, { only_jobs: ['c'], run_needs: true });
    expect(await harness.statuses(withNeeds)).toEqual({ a: 'pending', c: 'created' });
  });
});

describe('events', () => {
  test('tell everything from the start, then what happens, and end with the pipeline', async () => {
    const harness = await startHarness();
    const pipeline = await harness.submit([{ name: 'a', coverage: 'total: (\\d+\\.\\d+)%' }]);
    const stream = harness.events(pipeline);
    const job = await harness.startJob();
    await harness.trace(job, 0, 'total: ');
    await harness.trace(job, 7, '87.5%\n');
    await harness.update(job, { state: 'success' });
    const events = await stream;
    expect(events.map((event) => event['status'] ?? event['data'])).toEqual([
      'created',
      'pending',
      'running',
      'running',
      Buffer.from('total: ').toString('base64'),
      Buffer.from('87.5%\n').toString('base64'),
      'success',
      'success',
    ]);
    expect(events[6]).toMatchObject({ type: 'job', name: 'a', coverage: 87.5, durationSeconds: expect.any(Number) });
    expect(events.filter((event) => event['type'] === 'trace').map((event) => event['offset'])).toEqual([0, 7]);
    expect(await harness.events(pipeline)).toEqual(events);
    expect(await harness.events(pipeline, 6)).toEqual(events.slice(6));
  });
});

describe('the administration API', () => {
  test('asks for its token', async () => {
    const harness = await startHarness();
    const url = `${harness.coordinator.url}/api/millrace/v1/runners`;
    const bare = await fetch(url);
    expect([bare.status, await bare.json()]).toEqual([401, { message: expect.stringContaining('missing') }]);
    expect((await fetch(url, { headers: { 'PRIVATE-TOKEN': 'x' } })).status).toBe(401);
    const headers = { Authorization: `Bearer ${harness.coordinator.adminToken}` };
    expect((await fetch(url, { headers })).status).toBe(200);
  });

  test('says what is wrong with a submission', async () => {
    const harness = await startHarness();
    const refuse = async (json: unknown) => (await harness.admin('POST', 'pipelines', json)).json()['message'];
    expect(await refuse({})).toMatch(/project: /);
    await expect(harness.submit([{ name: 'a' }, { name: 'a' }])).rejects.toThrow(/is there twice/);
    await expect(harness.submit([{ name: 'a', stage: 'x' }])).rejects.toThrow(/not in stages/);
    await expect(harness.submit([{ name: 'a', needs: [{ job: 'b' }] }])).rejects.toThrow(/needs .*"b/);
    const circle = [
      { name: 'a', needs: [{ job: 'b' }] },
      { name: 'b', needs: [{ job: 'a' }] },
    ];
    await expect(harness.submit(circle)).rejects.toThrow(/circle/);
    await expect(harness.submit([{ name: 'a' }], { play: ['z'] })).rejects.toThrow(/no job \\?"z/);
    expect((await harness.admin('GET', 'pipelines/7')).json()['message']).toBe('there is no pipeline 7');
    expect((await harness.admin('GET', 'jobs/7')).status).toBe(404);
  });

  test('lists pipelines and jobs, newest first', async () => {
    const harness = await startHarness();
    await harness.submit([{ name: 'a' }]);
    await harness.submit([{ name: 'b' }]);
    const pipelines = (await harness.admin('GET', 'pipelines')).list();
    expect(pipelines.map((pipeline) => pipeline['id'])).toEqual([2, 1]);
    const jobs = (await harness.admin('GET', 'jobs?status=pending')).list();
    expect(jobs.map((job) => job['name'])).toEqual(['b', 'a']);
  });

  test('keeps no more finished pipelines and jobs than asked', async () => {
    const harness = await startHarness({ keep: { pipelines: 1, jobs: 1 } });
    for (const name of ['a', 'b']) {
      await harness.submit([{ name }]);
      await harness.runJob();
      await harness.submitRawJob();
      await harness.runJob();
    }
    await eventually(
      async () => (await harness.admin('GET', 'jobs')).list(),
      (jobs) => jobs.map((job) => job['name']).join() === 'raw,b',
    );
    expect((await harness.admin('GET', 'pipelines/1')).status).toBe(404);
  });
});

describe('sources', () => {
  test('a pipeline that waits for its sources starts when they are there', async () => {
    const seen: string[] = [];
    const harness = await startHarness({
      sources: (context) => ({
        handle: async (request, response) => {
          seen.push(`${request.method} ${request.url}`);
          if (request.url?.startsWith('/group/') !== true) context.sourcesReady(1);
          response.end(JSON.stringify(context.jobTokenState(String(request.headers['job-token'])) ?? null));
          return true;
        },
        repositoryUrl: ({ baseUrl, pipelineId }) => `${baseUrl}/sources/${pipelineId}`,
      }),
    });
    const pipeline = await harness.submit([{ name: 'a' }], { wait_for_sources: true });
    expect(await harness.statuses(pipeline)).toEqual({ a: 'created' });
    const path = `${harness.coordinator.url}/api/millrace/v1/pipelines/1/sources`;
    expect((await fetch(path, { method: 'POST' })).status).toBe(401);
    await harness.admin('POST', 'pipelines/1/sources', {});
    const job = await harness.takeJob();
    expect(job.payload['git_info']).toMatchObject({ repo_url: `${harness.coordinator.url}/sources/1` });
    const git = await fetch(`${harness.coordinator.url}/group/project.git/info/refs`, {
      headers: { 'job-token': job.token },
    });
    expect(await git.json()).toEqual({ jobId: job.id, pipelineId: 1, projectPath: 'group/project', alive: true });
    expect(seen).toEqual(['POST /api/millrace/v1/pipelines/1/sources', 'GET /group/project.git/info/refs']);
  });
});
