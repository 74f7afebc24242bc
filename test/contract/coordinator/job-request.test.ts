import { describe, expect, test } from 'vitest';
import { allFeatures, eventually, type Harness, rawPayload, startHarness } from './harness.ts';

async function lastUpdateOf(harness: Harness, token?: string): Promise<string> {
  const answer = await harness.requestJob(token === undefined ? {} : { token });
  expect(answer.status).toBe(204);
  return String(answer.headers['x-gitlab-last-update']);
}

describe('POST jobs/request', () => {
  test('hands a job out once, as it was submitted', async () => {
    const harness = await startHarness();
    const id = await harness.submitRawJob(rawPayload('one'));
    const answer = await harness.requestJob();
    expect(answer.status).toBe(201);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.json()).toEqual({ ...rawPayload('one'), id, token: expect.stringMatching(/^glcbt-/) });
    expect((await harness.requestJob()).status).toBe(204);
    expect(await harness.notes()).toEqual([]);
  });

  test('refuses unknown runners and bodies over 32 KiB', async () => {
    const harness = await startHarness();
    expect((await harness.requestJob({ token: 'glrt-unknown' })).status).toBe(403);
    const { token } = harness.runner;
    const json = { token, info: { name: 'x'.repeat(40_000) } };
    expect((await harness.api('POST', 'jobs/request', { json })).status).toBe(413);
  });

  test('first in, first out, and only to runners that may run it', async () => {
    const harness = await startHarness();
    const tagged = harness.coordinator.createRunner({ description: 't', tags: ['gpu', 'big'], runUntagged: false });
    const first = await harness.submitRawJob(rawPayload(), '?tags=gpu');
    const second = await harness.submitRawJob();
    const third = await harness.submitRawJob();
    expect((await harness.takeJob()).id).toBe(second);
    expect((await harness.requestJob({ token: tagged.token })).json()['id']).toBe(first);
    expect((await harness.requestJob({ token: tagged.token })).status).toBe(204);
    await harness.admin('PATCH', `runners/${harness.runner.id}`, { paused: true });
    expect((await harness.requestJob()).status).toBe(204);
    await harness.admin('PATCH', `runners/${harness.runner.id}`, { paused: false });
    expect((await harness.takeJob()).id).toBe(third);
  });

  test('a job without two-phase commit runs at once, one with it when acknowledged', async () => {
    const harness = await startHarness();
    await harness.submitRawJob();
    await harness.submitRawJob();
    const old = await harness.takeJob({ ...allFeatures, two_phase_job_commit: false });
    expect((await harness.job(old.id))['status']).toBe('running');
    const job = await harness.takeJob();
    expect((await harness.job(job.id))['status']).toBe('pending');
    await harness.update(job, { state: 'running' });
    const view = await harness.job(job.id);
    expect(view['status']).toBe('running');
    expect(view['times']).toMatchObject({
      handed_out_at: expect.any(String),
      acknowledged_at: expect.any(String),
      final_update_at: null,
    });
  });

  test('a job that needs a feature the runner lacks fails instead of running wrongly', async () => {
    const harness = await startHarness();
    const artifacts = [{ paths: ['x'], artifact_type: 'junit', artifact_format: 'gzip' }];
    const pipeline = await harness.submit([{ name: 'a', artifacts }]);
    const answer = await harness.requestJob({ features: { ...allFeatures, upload_multiple_artifacts: false } });
    expect(answer.status).toBe(204);
    const view = (await harness.admin('GET', `pipelines/${pipeline}`)).json();
    expect(view['jobs']).toMatchObject([{ status: 'failed', failure_reason: 'runner_unsupported' }]);
  });
});

describe('long polling', () => {
  test('holds a request that knows the state of the queue until a job arrives', async () => {
    const harness = await startHarness({ longPollSeconds: 30 });
    const lastUpdate = await lastUpdateOf(harness);
    const held = harness.requestJob({ lastUpdate });
    const id = await harness.submitRawJob();
    const answer = await held;
    expect([answer.status, answer.json()['id']]).toEqual([201, id]);
  });

  test('answers 204 with the same value when the time is over', async () => {
    const harness = await startHarness({ longPollSeconds: 0.05 });
    const lastUpdate = await lastUpdateOf(harness);
    const answer = await harness.requestJob({ lastUpdate });
    expect([answer.status, answer.headers['x-gitlab-last-update']]).toEqual([204, lastUpdate]);
  });

  test('does not hold a request with another value', async () => {
    const harness = await startHarness({ longPollSeconds: 30 });
    const lastUpdate = await lastUpdateOf(harness);
    expect((await harness.requestJob({ lastUpdate: 'old' })).headers['x-gitlab-last-update']).toBe(lastUpdate);
    await harness.submitRawJob();
    await harness.takeJob();
    // The queue changed: a client that missed it is told at once.
    const answer = await harness.requestJob({ lastUpdate });
    expect(answer.status).toBe(204);
    expect(answer.headers['x-gitlab-last-update']).not.toBe(lastUpdate);
  });

  test('wakes one runner per job, and only one that may run it', async () => {
    const harness = await startHarness({ longPollSeconds: 30 });
    const tagged = harness.coordinator.createRunner({ description: 't', tags: ['gpu'], runUntagged: false });
    const plain = harness.requestJob({ lastUpdate: await lastUpdateOf(harness) });
    const special = harness.requestJob({
      token: tagged.token,
      lastUpdate: await lastUpdateOf(harness, tagged.token),
    });
    const gpuJob = await harness.submitRawJob(rawPayload(), '?tags=gpu');
    expect((await special).json()['id']).toBe(gpuJob);
    const plainJob = await harness.submitRawJob();
    expect((await plain).json()['id']).toBe(plainJob);
  });

  test('a runner that went away does not get the job', async () => {
    const harness = await startHarness({ longPollSeconds: 30 });
    const lastUpdate = await lastUpdateOf(harness);
    const gone = new AbortController();
    const lost = harness.requestJob({ lastUpdate, signal: gone.signal });
    const other = harness.requestJob({ lastUpdate });
    // Both requests have arrived when this one is answered.
    await harness.requestJob({ lastUpdate: 'other' });
    gone.abort();
    await expect(lost).rejects.toThrow();
    const id = await harness.submitRawJob();
    expect((await other).json()['id']).toBe(id);
  });

  test('closing answers held requests', async () => {
    const harness = await startHarness({ longPollSeconds: 30 });
    const held = harness.requestJob({ lastUpdate: await lastUpdateOf(harness) });
    // The request must have arrived before the server closes.
    await harness.requestJob({ lastUpdate: 'other' });
    await harness.coordinator.close();
    expect((await held).status).toBe(204);
  });
});

describe('a job that is not acknowledged', () => {
  test('is handed out again under a new token', async () => {
    const harness = await startHarness({ acknowledgeTimeoutSeconds: 0.1 });
    await harness.submitRawJob();
    const lost = await harness.takeJob();
    const answer = await eventually(
      () => harness.requestJob(),
      (candidate) => candidate.status === 201,
    );
    expect(answer.json()['id']).toBe(lost.id);
    expect(answer.json()['token']).not.toBe(lost.token);
    const late = await harness.update(lost, { state: 'running' });
    expect([late.status, late.headers['job-status']]).toEqual([403, undefined]);
  });

  test('stays with a runner that called', async () => {
    const harness = await startHarness({ acknowledgeTimeoutSeconds: 0.05 });
    await harness.submitRawJob();
    await harness.submitRawJob();
    const traced = await harness.takeJob();
    const other = await harness.takeJob();
    await harness.trace(traced, 0, 'hello');
    // The other one coming back shows that the time is over.
    const answer = await eventually(
      () => harness.requestJob(),
      (candidate) => candidate.status === 201,
    );
    expect(answer.json()['id']).toBe(other.id);
    expect((await harness.job(traced.id))['status']).toBe('running');
  });
});

test('a running job without a sign of life fails in the end', async () => {
  const harness = await startHarness({ stuckTimeoutSeconds: 0.1 });
  await harness.submitRawJob();
  const job = await harness.startJob();
  const view = await eventually(
    () => harness.job(job.id),
    (candidate) => candidate['status'] === 'failed',
  );
  expect(view['failure_reason']).toBe('stuck_or_timeout_failure');
});

test('GET job tells what a token stands for', async () => {
  const harness = await startHarness();
  await harness.submitRawJob();
  const job = await harness.startJob();
  const ask = (token: string) => harness.api('GET', 'job', { headers: { 'JOB-TOKEN': token } });
  expect((await ask(job.token)).json()).toMatchObject({ id: job.id, status: 'running' });
  expect((await ask('wrong')).status).toBe(401);
});
