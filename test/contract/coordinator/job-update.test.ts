import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type Answer, allFeatures, type Harness, rawPayload, startHarness, type TakenJob } from './harness.ts';

async function runningJob(options: Parameters<typeof startHarness>[0] = {}): Promise<[Harness, TakenJob]> {
  const harness = await startHarness(options);
  await harness.submitRawJob();
  return [harness, await harness.startJob()];
}

function brief(answer: Answer): readonly [number, string | undefined] {
  return [answer.status, answer.headers['job-status'] as string | undefined];
}

function checksumOf(text: string): string {
  return `crc32:${crc32(text).toString(16).padStart(8, '0')}`;
}

describe('PUT jobs/:id', () => {
  test('running acknowledges, and touches later', async () => {
    const [harness, job] = await runningJob({ traceUpdateIntervalSeconds: 1 });
    const touch = await harness.update(job, { state: 'running', output: { checksum: 'crc32:00000000' } });
    expect([...brief(touch), touch.text]).toEqual([200, 'running', '200']);
    expect(touch.headers['x-gitlab-trace-update-interval']).toBe('1');
    expect(await harness.notes()).toEqual([]);
  });

  test('pending keeps a job that was handed out alive', async () => {
    const harness = await startHarness();
    await harness.submitRawJob();
    const job = await harness.takeJob();
    expect((await harness.update(job, { state: 'pending' })).status).toBe(200);
  });

  test('success and failure end a job with what the runner says', async () => {
    const harness = await startHarness();
    for (let count = 0; count < 4; count += 1) await harness.submitRawJob();
    const good = await harness.runJob();
    const bad = await harness.runJob({ state: 'failed', failure_reason: 'script_failure', exit_code: 3 });
    const odd = await harness.runJob({ state: 'failed', failure_reason: 'job_canceled' });
    const silent = await harness.runJob({ state: 'failed' });
    expect(await harness.job(good.id)).toMatchObject({ status: 'success', failure_reason: null, exit_code: null });
    expect(await harness.job(bad.id)).toMatchObject({
      status: 'failed',
      failure_reason: 'script_failure',
      exit_code: 3,
    });
    expect(await harness.job(odd.id)).toMatchObject({ failure_reason: 'unknown_failure' });
    expect(await harness.job(silent.id)).toMatchObject({ failure_reason: 'script_failure' });
  });

  test('a job may end without ever having been acknowledged', async () => {
    const harness = await startHarness();
    await harness.submitRawJob();
    const job = await harness.takeJob();
    expect((await harness.update(job, { state: 'failed', failure_reason: 'runner_system_failure' })).status).toBe(200);
    expect((await harness.job(job.id))['status']).toBe('failed');
  });

  test('refuses unknown jobs, wrong tokens and jobs that are over', async () => {
    const [harness, job] = await runningJob();
    expect(brief(await harness.update({ ...job, id: 99 }, { state: 'running' }))).toEqual([403, undefined]);
    expect(brief(await harness.update({ ...job, token: 'wrong' }, { state: 'running' }))).toEqual([403, undefined]);
    await harness.update(job, { state: 'success' });
    expect(brief(await harness.update(job, { state: 'success' }))).toEqual([403, 'success']);
    expect(brief(await harness.trace(job, 0, 'late'))).toEqual([403, 'success']);
    expect(brief(await harness.upload(job, 'late'))).toEqual([403, 'success']);
  });

  test('an unknown state is 400', async () => {
    const [harness, job] = await runningJob();
    expect((await harness.update(job, { state: 'dreaming' })).status).toBe(400);
    expect((await harness.job(job.id))['status']).toBe('running');
  });
});

describe('cancel and abort', () => {
  test('a graceful runner is told, and its end makes the job canceled', async () => {
    const [harness, job] = await runningJob();
    expect((await harness.admin('POST', `jobs/${job.id}/cancel`)).json()['status']).toBe('canceling');
    expect(brief(await harness.update(job, { state: 'running' }))).toEqual([200, 'canceling']);
    expect(brief(await harness.trace(job, 0, 'x'))).toEqual([202, 'canceling']);
    expect((await harness.upload(job, 'artifact')).status).toBe(201);
    expect((await harness.update(job, { state: 'failed', failure_reason: 'job_canceled' })).status).toBe(200);
    expect(await harness.job(job.id)).toMatchObject({ status: 'canceled', failure_reason: null });
  });

  test('a runner that cannot cancel gracefully loses the job at once', async () => {
    const harness = await startHarness();
    await harness.submitRawJob();
    const job = await harness.takeJob({ ...allFeatures, cancel_gracefully: false });
    await harness.update(job, { state: 'running' });
    expect((await harness.admin('POST', `jobs/${job.id}/cancel`)).json()['status']).toBe('canceled');
    expect(brief(await harness.update(job, { state: 'running' }))).toEqual([403, 'canceled']);
  });

  test('abort takes the job away, also while it is being canceled', async () => {
    const [harness, job] = await runningJob();
    await harness.admin('POST', `jobs/${job.id}/cancel`);
    expect((await harness.admin('POST', `jobs/${job.id}/abort`)).json()['status']).toBe('canceled');
    expect(brief(await harness.trace(job, 0, 'x'))).toEqual([403, 'canceled']);
    expect((await harness.admin('POST', `jobs/${job.id}/abort`)).status).toBe(409);
  });

  test('a job that waits, or was only handed out, is canceled at once', async () => {
    const harness = await startHarness();
    const waiting = await harness.submitRawJob();
    await harness.admin('POST', `jobs/${waiting}/cancel`);
    expect((await harness.requestJob()).status).toBe(204);
    await harness.submitRawJob(rawPayload());
    const job = await harness.takeJob();
    await harness.admin('POST', `jobs/${job.id}/cancel`);
    expect(brief(await harness.update(job, { state: 'running' }))).toEqual([403, 'canceled']);
  });
});

describe('the end and the trace', () => {
  const log = 'hello\n';
  const end = {
    state: 'success',
    checksum: checksumOf(log),
    output: { checksum: checksumOf(log), bytesize: log.length },
  };

  test('fitting checksum and size are accepted and recorded', async () => {
    const [harness, job] = await runningJob();
    await harness.trace(job, 0, log);
    expect((await harness.update(job, end)).status).toBe(200);
    expect((await harness.job(job.id))['trace_report']).toMatchObject({ is_equal: true, bytesize: 6 });
  });

  test('202 first, where the server takes its time to store the trace', async () => {
    const [harness, job] = await runningJob({ pendingFinalUpdates: 2 });
    await harness.trace(job, 0, log);
    const answers = [await harness.update(job, end), await harness.update(job, end), await harness.update(job, end)];
    expect(answers.map((answer) => answer.status)).toEqual([202, 202, 200]);
    expect(answers[0]?.headers['x-gitlab-trace-update-interval']).toBe('1');
    expect((await harness.job(job.id))['status']).toBe('success');
  });

  test('202 while bytes are missing; they may still come', async () => {
    const [harness, job] = await runningJob({ incompleteTraceWaitSeconds: 60 });
    await harness.trace(job, 0, 'hel');
    expect((await harness.update(job, end)).status).toBe(202);
    await harness.trace(job, 3, 'lo\n');
    expect((await harness.update(job, end)).status).toBe(200);
  });

  test('another trace than the runner speaks of is recorded, as GitLab does', async () => {
    const [harness, job] = await runningJob({ incompleteTraceWaitSeconds: 0 });
    await harness.trace(job, 0, 'other');
    expect((await harness.update(job, end)).status).toBe(200);
    expect((await harness.job(job.id))['trace_report']).toMatchObject({ is_equal: false });
  });

  test('strict: 412, and the store still expects its own offset', async () => {
    const [harness, job] = await runningJob({ traceCheck: 'strict' });
    await harness.trace(job, 0, 'other\n');
    expect((await harness.update(job, end)).status).toBe(412);
    const again = await harness.trace(job, 0, log);
    expect([again.status, again.headers['range']]).toEqual([416, '0-6']);
  });

  test('strict_reset: 412, and the trace is taken anew', async () => {
    const [harness, job] = await runningJob({ traceCheck: 'strict_reset' });
    await harness.trace(job, 0, 'something else');
    expect((await harness.update(job, end)).status).toBe(412);
    expect((await harness.trace(job, 0, log)).headers['range']).toBe('0-6');
    expect((await harness.update(job, end)).status).toBe(200);
    expect((await harness.admin('GET', `jobs/${job.id}/trace`)).text).toBe(log);
  });
});
