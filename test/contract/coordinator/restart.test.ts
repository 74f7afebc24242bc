import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { startCoordinator } from '../../../src/coordinator/start.ts';
import { call, Harness, startHarness, submission, temporaryFolder } from './harness.ts';

const program = fileURLToPath(new URL('./coordinator-process.ts', import.meta.url));

async function startProcess(dataDir: string): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = spawn(process.execPath, [program, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, url: String(line) };
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

test('a killed coordinator is found as it last answered, and its jobs go on', { timeout: 30_000 }, async () => {
  const dataDir = await temporaryFolder();
  // First start here, for the tokens and a runner; the pipeline then runs in a process that is killed.
  const prepared = await startCoordinator({ dataDir });
  const runner = prepared.createRunner({ description: 'r' });
  await prepared.close();
  const { child, url } = await startProcess(dataDir);
  const asAdmin = { 'PRIVATE-TOKEN': prepared.adminToken };
  const jobs = [{ name: 'running' }, { name: 'done' }, { name: 'pending' }, { name: 'next', stage: 'deploy' }];
  const submitted = await call(`${url}/api/millrace/v1/pipelines`, 'POST', {
    headers: asAdmin,
    json: submission(jobs, {}),
  });
  expect(submitted.status).toBe(201);
  const request = async (base: string) =>
    (await call(`${base}/api/v4/jobs/request`, 'POST', { json: { token: runner.token, info: {} } })).json();
  const running = await request(url);
  const done = await request(url);
  const headers = { 'JOB-TOKEN': String(running['token']) };
  const trace = { headers: { ...headers, 'Content-Range': '0-4' }, body: 'first' };
  expect((await call(`${url}/api/v4/jobs/${Number(running['id'])}/trace`, 'PATCH', trace)).status).toBe(202);
  const end = { json: { token: done['token'], state: 'success' } };
  expect((await call(`${url}/api/v4/jobs/${Number(done['id'])}`, 'PUT', end)).status).toBe(200);
  await kill(child);

  // What a kill can leave half done: an event cut off, a job folder without its record, a temporary file.
  await appendFile(join(dataDir, 'pipelines/1/events.ndjson'), '{"type":"job","at"');
  await writeFile(join(dataDir, 'jobs', String(running['id']), 'job.json.new'), '{"broken');

  const coordinator = await startCoordinator({ dataDir, longPollSeconds: 0 });
  onTestFinished(() => coordinator.close());
  const harness = new Harness(coordinator);
  expect(coordinator.adminToken).toBe(prepared.adminToken);
  expect(await harness.statuses(1)).toEqual({
    running: 'running',
    done: 'success',
    pending: 'pending',
    next: 'created',
  });
  const job = { id: Number(running['id']), token: String(running['token']), payload: running };
  const wrongPlace = await harness.trace(job, 0, 'first');
  expect([wrongPlace.status, wrongPlace.headers['range']]).toEqual([416, '0-5']);
  expect((await harness.trace(job, 5, ' second')).status).toBe(202);
  expect((await harness.update(job, { state: 'success' })).status).toBe(200);
  await harness.runJob();
  await harness.runJob();
  const events = await harness.events(1);
  expect(events.at(-1)).toMatchObject({ type: 'pipeline', status: 'success' });
  const ends = events.filter((event) => event['type'] === 'job' && event['status'] === 'success');
  expect(ends.map((event) => String(event['name'])).toSorted((left, right) => left.localeCompare(right))).toEqual([
    'done',
    'next',
    'pending',
    'running',
  ]);
  const bytes = events.filter((event) => event['type'] === 'trace').map((event) => String(event['data']));
  expect(bytes.map((data) => Buffer.from(data, 'base64').toString()).join('')).toBe('first second');
});

test('what a kill kept from being told is told after the restart', async () => {
  const dataDir = await temporaryFolder();
  const first = await startHarness({ dataDir });
  const pipeline = await first.submit([{ name: 'a' }]);
  const job = await first.startJob();
  await first.coordinator.close();
  // The trace bytes were written, their event was not.
  await appendFile(join(dataDir, `jobs/${job.id}/trace`), 'written');
  const second = await startHarness({ dataDir });
  expect((await second.trace(job, 7, '!')).status).toBe(202);
  await second.update(job, { state: 'success' });
  const traces = (await second.events(pipeline)).filter((event) => event['type'] === 'trace');
  expect(traces.map((event) => Buffer.from(String(event['data']), 'base64').toString())).toEqual(['written', '!']);
});

test('a retry that was due when the coordinator ended is made', async () => {
  const dataDir = await temporaryFolder();
  const first = await startHarness({ dataDir });
  const retry = { max: 1, when: ['always'], exit_codes: [] };
  const pipeline = await first.submit([{ name: 'a', retry }]);
  const job = await first.startJob();
  await first.coordinator.close();
  const path = join(dataDir, `jobs/${job.id}/job.json`);
  const record = JSON.parse(await readFile(path, 'utf8')) as object;
  const failed = { ...record, status: 'failed', failureReason: 'script_failure', finishedAt: Date.now() };
  await writeFile(path, JSON.stringify(failed));
  const second = await startHarness({ dataDir });
  expect(await second.statuses(pipeline)).toEqual({ a: 'pending' });
});

test('what is kept can be read by nobody else', async () => {
  const dataDir = await temporaryFolder();
  const harness = await startHarness({ dataDir });
  await harness.submitRawJob();
  const job = await harness.startJob();
  await harness.trace(job, 0, 'x');
  await harness.upload(job, 'x');
  await harness.submit([{ name: 'a' }]);
  for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
    if (entry.isSocket()) continue;
    const { mode } = await stat(join(entry.parentPath, entry.name));
    expect([entry.name, (mode & 0o777).toString(8)]).toEqual([entry.name, entry.isDirectory() ? '700' : '600']);
  }
  expect(((await stat(dataDir)).mode & 0o777).toString(8)).toBe('700');
});

test('one coordinator per data folder', async () => {
  const dataDir = await temporaryFolder();
  const harness = await startHarness({ dataDir });
  await expect(startCoordinator({ dataDir })).rejects.toThrow(/Another coordinator/);
  await harness.coordinator.close();
  const next = await startCoordinator({ dataDir });
  await next.close();
});
