import { describe, expect, test } from 'vitest';
import { type FaultRuleInput, faultRuleSchema } from '../../../src/coordinator/faults/fault-rules.ts';
import { type Harness, startHarness } from './harness.ts';

function withFaults(...faults: readonly FaultRuleInput[]): Promise<Harness> {
  return startHarness({ faults: faults.map((fault) => faultRuleSchema.parse(fault)) });
}

describe('injected faults', () => {
  test('status before the work, with waiting headers, so many times', async () => {
    const harness = await withFaults({
      endpoint: 'job_request',
      kind: 'status',
      status: 429,
      retry_after_seconds: 2,
      rate_limit_reset_in_seconds: 2,
      max_count: 2,
    });
    await harness.submitRawJob();
    const answers = [await harness.requestJob(), await harness.requestJob(), await harness.requestJob()];
    expect(answers.map((answer) => answer.status)).toEqual([429, 429, 201]);
    expect(answers[0]?.headers['retry-after']).toBe('2');
    expect(Date.parse(String(answers[0]?.headers['ratelimit-resettime']))).toBeGreaterThan(Date.now());
    expect((await harness.admin('GET', 'faults')).json()).toMatchObject([{ requests: 3, injected: 2 }]);
  });

  test('a reset after the work: the job is over, the client does not hear of it', async () => {
    const harness = await withFaults({
      endpoint: 'job_update',
      kind: 'reset',
      when: 'after',
      skip_first: 1,
      max_count: 1,
    });
    await harness.submitRawJob();
    const job = await harness.startJob();
    await expect(harness.update(job, { state: 'success' })).rejects.toThrow(/ECONNRESET|hang up/);
    expect((await harness.job(job.id))['status']).toBe('success');
    const again = await harness.update(job, { state: 'success' });
    expect([again.status, again.headers['job-status']]).toEqual([403, 'success']);
  });

  test('a reset before the work leaves everything as it was', async () => {
    const harness = await withFaults({ endpoint: 'trace', kind: 'reset', max_count: 1 });
    await harness.submitRawJob();
    const job = await harness.startJob();
    await expect(harness.trace(job, 0, 'abc')).rejects.toThrow();
    expect((await harness.trace(job, 0, 'abc')).status).toBe(202);
  });

  test('an answer cut in the middle: the job was handed out', async () => {
    const harness = await withFaults({ endpoint: 'job_request', kind: 'truncate', max_count: 1 });
    const id = await harness.submitRawJob();
    await expect(harness.requestJob()).rejects.toThrow();
    expect((await harness.job(id))['times']).toMatchObject({ handed_out_at: expect.any(String) });
  });

  test('a cut download', async () => {
    const harness = await withFaults({ endpoint: 'artifacts_download', kind: 'truncate', max_count: 1 });
    await harness.submitRawJob();
    const job = await harness.startJob();
    await harness.upload(job, 'x'.repeat(200_000));
    const download = () => harness.api('GET', `jobs/${job.id}/artifacts`, { headers: { 'JOB-TOKEN': job.token } });
    await expect(download()).rejects.toThrow();
    expect((await download()).bytes).toHaveLength(200_000);
  });

  test('the status of an upload that was kept', async () => {
    const harness = await withFaults({
      endpoint: 'artifacts_upload',
      kind: 'status',
      when: 'after',
      status: 503,
      max_count: 1,
    });
    await harness.submitRawJob();
    const job = await harness.startJob();
    expect((await harness.upload(job, 'x')).status).toBe(503);
    expect((await harness.upload(job, 'x')).status).toBe(201);
  });

  test('a delay still answers', async () => {
    const harness = await withFaults({ endpoint: 'verify', kind: 'delay', delay_ms: 20 });
    const { token } = harness.runner;
    const answer = await harness.api('POST', 'runners/verify', { json: { token } });
    expect(answer.status).toBe(200);
    expect((await harness.admin('GET', 'faults')).json()).toMatchObject([{ injected: 1 }]);
  });

  test('hit the same requests for the same seed', async () => {
    const run = async (): Promise<readonly number[]> => {
      const harness = await withFaults({ endpoint: 'job_request', kind: 'status', status: 500, rate: 0.5 });
      const statuses: number[] = [];
      for (let count = 0; count < 20; count += 1) statuses.push((await harness.requestJob()).status);
      return statuses;
    };
    const first = await run();
    expect(await run()).toEqual(first);
    expect(new Set(first)).toEqual(new Set([204, 500]));
  });
});
