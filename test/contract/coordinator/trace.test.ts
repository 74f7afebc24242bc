import { describe, expect, test } from 'vitest';
import { type Harness, startHarness, type TakenJob } from './harness.ts';

async function runningJob(options: Parameters<typeof startHarness>[0] = {}): Promise<[Harness, TakenJob]> {
  const harness = await startHarness(options);
  await harness.submitRawJob();
  return [harness, await harness.startJob()];
}

describe('PATCH jobs/:id/trace', () => {
  test('appends and answers with the new size', async () => {
    const [harness, job] = await runningJob();
    const first = await harness.trace(job, 0, 'hello ');
    expect(first.status).toBe(202);
    expect(first.headers).toMatchObject({
      range: '0-6',
      'job-status': 'running',
      'x-gitlab-trace-update-interval': '60',
    });
    expect((await harness.trace(job, 6, 'wörld')).headers['range']).toBe('0-12');
    expect((await harness.admin('GET', `jobs/${job.id}/trace`)).text).toBe('hello wörld');
    expect((await harness.admin('GET', `jobs/${job.id}/trace?offset=6`)).text).toBe('wörld');
    expect((await harness.job(job.id))['trace_bytes']).toBe(12);
    expect(await harness.notes()).toEqual([]);
  });

  test.each([0, 2, 5])('a start that is not the stored size is 416 and writes nothing (%i)', async (start) => {
    const [harness, job] = await runningJob();
    await harness.trace(job, 0, 'abc');
    const answer = await harness.trace(job, start, 'XY');
    expect([answer.status, answer.headers['range'], answer.headers['job-status']]).toEqual([416, '0-3', 'running']);
    expect((await harness.admin('GET', `jobs/${job.id}/trace`)).text).toBe('abc');
  });

  test('without Content-Range it is 400', async () => {
    const [harness, job] = await runningJob();
    const headers = { 'JOB-TOKEN': job.token, 'Content-Type': 'text/plain' };
    const answer = await harness.api('PATCH', `jobs/${job.id}/trace`, { headers, body: 'x' });
    expect(answer.status).toBe(400);
  });

  test('unknown job and wrong token are 403', async () => {
    const [harness, job] = await runningJob();
    expect((await harness.trace({ ...job, id: 77 }, 0, 'x')).status).toBe(403);
    expect((await harness.trace({ ...job, token: 'x' }, 0, 'x')).status).toBe(403);
  });

  test('beyond the limit the job is dropped', async () => {
    const [harness, job] = await runningJob({ maxTraceBytes: 10 });
    expect((await harness.trace(job, 0, '0123456789')).status).toBe(202);
    const answer = await harness.trace(job, 10, 'x');
    expect([answer.status, answer.headers['job-status']]).toEqual([403, 'failed']);
    expect((await harness.job(job.id))['failure_reason']).toBe('trace_size_exceeded');
  });

  test('of concurrent writes at one place one gets in', async () => {
    const [harness, job] = await runningJob();
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((text) => harness.trace(job, 0, text.repeat(50_000))));
    const statuses = answers.map((answer) => answer.status).sort((left, right) => left - right);
    expect(statuses[0]).toBe(202);
    expect(statuses.slice(1).every((status) => status === 409 || status === 416)).toBe(true);
    const text = (await harness.admin('GET', `jobs/${job.id}/trace`)).text;
    expect(text).toMatch(/^(a+|b+|c+|d+)$/);
    expect(text).toHaveLength(50_000);
  });

  test('asks for more often while somebody watches', async () => {
    const harness = await startHarness();
    const pipeline = await harness.submit([{ name: 'a' }]);
    const job = await harness.startJob();
    const watching = harness.events(pipeline);
    let answer = await harness.trace(job, 0, 'x');
    for (let size = 1; answer.headers['x-gitlab-trace-update-interval'] !== '3' && size < 500; size += 1) {
      answer = await harness.trace(job, size, 'x');
    }
    expect(answer.headers['x-gitlab-trace-update-interval']).toBe('3');
    await harness.update(job, { state: 'success' });
    await watching;
  });

  test('names no interval where told so', async () => {
    const [harness, job] = await runningJob({ traceUpdateIntervalSeconds: 'none' });
    expect((await harness.trace(job, 0, 'x')).headers['x-gitlab-trace-update-interval']).toBeUndefined();
  });

  test('notes chunks, ranges and bytes that are not as they should be', async () => {
    const [harness, job] = await runningJob();
    await harness.trace(job, 0, 'abc', { 'Content-Range': '0-99', 'Content-Type': 'application/json' });
    await harness.trace(job, 3, Buffer.from([0xff, 0xfe]));
    await harness.trace(job, 5, 'x'.repeat(1024 * 1024 + 1));
    expect((await harness.notes()).toSorted()).toEqual([
      'trace_chunk_size',
      'trace_content_type',
      'trace_range_end',
      'trace_utf8',
    ]);
  });
});
