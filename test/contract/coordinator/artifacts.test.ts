import { createHash, randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { describe, expect, test } from 'vitest';
import { call, type Harness, multipart, startHarness, type TakenJob } from './harness.ts';

async function runningJob(options: Parameters<typeof startHarness>[0] = {}): Promise<[Harness, TakenJob]> {
  const harness = await startHarness(options);
  await harness.submitRawJob();
  return [harness, await harness.startJob()];
}

function download(harness: Harness, id: number, token: string, query = '', headers: Record<string, string> = {}) {
  return harness.api('GET', `jobs/${id}/artifacts?${query}`, { headers: { 'JOB-TOKEN': token, ...headers } });
}

/** Sends the form in chunks, without a length, as runners do. */
function chunkedUpload(harness: Harness, job: TakenJob, form: ReturnType<typeof multipart>): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      `${harness.coordinator.url}/api/v4/jobs/${job.id}/artifacts`,
      { method: 'POST', agent: false, headers: { 'JOB-TOKEN': job.token, 'Content-Type': form.contentType } },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    request.on('error', reject);
    for (let at = 0; at < form.body.length; at += 1000) request.write(form.body.subarray(at, at + 1000));
    request.end();
  });
}

describe('POST jobs/:id/artifacts', () => {
  test('keeps what comes, whole, also in chunks', async () => {
    const [harness, job] = await runningJob();
    const content = randomBytes(300_000);
    expect(await chunkedUpload(harness, job, multipart(content, 'file', 'dir/a \\"b\\".zip'))).toBe(201);
    expect((await harness.job(job.id))['artifacts']).toEqual([
      {
        type: 'archive',
        format: 'zip',
        filename: 'a "b".zip',
        size_bytes: 300_000,
        sha256: createHash('sha256').update(content).digest('hex'),
        expire_in: '',
      },
    ]);
    const back = await download(harness, job.id, job.token);
    expect(back.status).toBe(200);
    expect(back.bytes.equals(content)).toBe(true);
  });

  test('keeps type, format and expiry of the query', async () => {
    const [harness, job] = await runningJob();
    const query = 'artifact_format=gzip&artifact_type=junit&expire_in=1+week';
    expect((await harness.upload(job, 'x', { query, filename: 'junit.xml.gz' })).status).toBe(201);
    expect((await harness.job(job.id))['artifacts']).toMatchObject([
      { type: 'junit', format: 'gzip', filename: 'junit.xml.gz', expire_in: '1 week' },
    ]);
    expect((await harness.admin('GET', `jobs/${job.id}/artifacts/junit`)).text).toBe('x');
  });

  test.each([
    ['artifact_type=nonsense', /artifact_type/],
    ['artifact_format=rar', /artifact_format/],
    ['artifact_type=junit&artifact_format=zip', /Invalid file format/],
  ])('%s is 400', async (query, message) => {
    const [harness, job] = await runningJob();
    const answer = await harness.upload(job, 'x', { query });
    expect(answer.status).toBe(400);
    expect(answer.json()['message']).toMatch(message);
  });

  test('a form without the file, cut short, or none at all is 400 and leaves nothing', async () => {
    const [harness, job] = await runningJob();
    expect((await harness.upload(job, 'x', { field: 'other' })).status).toBe(400);
    const form = multipart('content', 'file', 'a.zip');
    const headers = { 'JOB-TOKEN': job.token, 'Content-Type': form.contentType };
    const body = form.body.subarray(0, -10);
    expect((await harness.api('POST', `jobs/${job.id}/artifacts`, { headers, body })).status).toBe(400);
    const plain = { 'JOB-TOKEN': job.token, 'Content-Type': 'application/zip' };
    expect((await harness.api('POST', `jobs/${job.id}/artifacts`, { headers: plain, body: 'x' })).status).toBe(400);
    expect((await harness.job(job.id))['artifacts']).toEqual([]);
  });

  test('too large is 413, announced or not', async () => {
    const [harness, job] = await runningJob({ maxArtifactBytes: 1000 });
    expect((await harness.upload(job, 'x'.repeat(1001))).status).toBe(413);
    expect(await chunkedUpload(harness, job, multipart('x'.repeat(200_000), 'file', 'a.zip'))).toBe(413);
    expect((await harness.upload(job, 'x'.repeat(1000))).status).toBe(201);
  });

  test('the same again is fine, another of the same type is not', async () => {
    const [harness, job] = await runningJob();
    expect((await harness.upload(job, 'one')).status).toBe(201);
    expect((await harness.upload(job, 'one')).status).toBe(201);
    const other = await harness.upload(job, 'two');
    expect([other.status, other.json()['message']]).toEqual([400, 'another artifact of the same type already exists']);
    expect((await download(harness, job.id, job.token)).text).toBe('one');
  });

  test('a wrong token is 403', async () => {
    const [harness, job] = await runningJob();
    expect((await harness.upload({ ...job, token: 'wrong' }, 'x')).status).toBe(403);
  });

  test('authorize names the limit', async () => {
    const [harness, job] = await runningJob({ maxArtifactBytes: 5 });
    const path = `jobs/${job.id}/artifacts/authorize`;
    const answer = await harness.api('POST', path, { headers: { 'JOB-TOKEN': job.token } });
    expect([answer.status, answer.json()]).toEqual([200, { MaximumSize: 5 }]);
    const big = await harness.api('POST', `${path}?filesize=6`, { headers: { 'JOB-TOKEN': job.token } });
    expect(big.status).toBe(413);
    expect((await harness.api('POST', path, { headers: { 'JOB-TOKEN': 'x' } })).status).toBe(403);
  });
});

describe('dotenv reports', () => {
  test('good ones become variables of the jobs behind', async () => {
    const harness = await startHarness();
    await harness.submit([
      { name: 'a', stage: 'build' },
      {
        name: 'b',
        variables_below_dotenv: [
          { key: 'LOW', value: 'low' },
          { key: 'MID', value: 'yaml' },
        ],
        variables_above_dotenv: [{ key: 'TOP', value: 'top' }],
      },
    ]);
    const a = await harness.startJob();
    expect((await harness.uploadDotenv(a, 'MID=dotenv $LOW\nTOP=dotenv\n')).status).toBe(201);
    await harness.update(a, { state: 'success' });
    const b = await harness.takeJob();
    const variables = b.payload['variables'] as readonly { key: string; value: string }[];
    const last = (key: string) => variables.findLast((variable) => variable.key === key)?.value;
    expect([last('MID'), last('TOP')]).toEqual(['dotenv low', 'top']);
  });

  test.each([
    ['no assignment\n', /Invalid Format/],
    ['A=1\n\nB=2\n', /line 2/],
    ['A-B=1\n', /letters, digits/],
    ['A=1\nB=2\nC=3\n', /more than 2 variables/],
    [`A=${'x'.repeat(200)}\n`, /Too Big/],
  ])('bad ones are 400: %j', async (content, message) => {
    const [harness, job] = await runningJob({ dotenvLimits: { maxBytes: 100, maxVariables: 2 } });
    const answer = await harness.uploadDotenv(job, content);
    expect(answer.status).toBe(400);
    expect(answer.json()['message']).toMatch(message);
    expect((await harness.job(job.id))['artifacts']).toEqual([]);
  });

  test('what is not gzip is 400', async () => {
    const [harness, job] = await runningJob();
    const answer = await harness.upload(job, 'A=1', { query: 'artifact_format=gzip&artifact_type=dotenv' });
    expect(answer.status).toBe(400);
  });
});

describe('GET jobs/:id/artifacts', () => {
  test('with the token of the job itself, also after its end, or of another job of the project in progress', async () => {
    const harness = await startHarness();
    await harness.submit([{ name: 'a', stage: 'build' }, { name: 'b' }]);
    const a = await harness.startJob();
    await harness.upload(a, 'archive', { filename: 'a.zip' });
    await harness.update(a, { state: 'success' });
    const b = await harness.startJob();
    expect(b.payload['dependencies']).toEqual([
      { id: a.id, name: 'a', token: a.token, artifacts_file: { filename: 'a.zip', size: 7 } },
    ]);
    expect((await download(harness, a.id, a.token)).text).toBe('archive');
    expect((await download(harness, a.id, b.token)).text).toBe('archive');
    expect((await download(harness, a.id, 'wrong')).status).toBe(401);
    expect((await download(harness, b.id, b.token)).status).toBe(404);
    expect((await download(harness, 99, b.token)).status).toBe(404);
    await harness.submitRawJob();
    expect((await download(harness, a.id, (await harness.startJob()).token)).status).toBe(403);
    await harness.update(b, { state: 'success' });
    expect((await download(harness, a.id, b.token)).status).toBe(403);
  });

  test('sends a direct download to a second origin, with ranges', async () => {
    const [harness, job] = await runningJob({ directDownload: 'redirect' });
    await harness.upload(job, '0123456789');
    expect((await download(harness, job.id, job.token)).status).toBe(200);
    const redirect = await download(harness, job.id, job.token, 'direct_download=true');
    const location = String(redirect.headers.location);
    expect(redirect.status).toBe(302);
    expect(new URL(location).origin).not.toBe(new URL(harness.coordinator.url).origin);
    expect((await call(location, 'GET')).text).toBe('0123456789');
    const part = await call(location, 'GET', { headers: { Range: 'bytes=0-0' } });
    expect([part.status, part.text, part.headers['content-range']]).toEqual([206, '0', 'bytes 0-0/10']);
    expect((await call(location, 'GET', { headers: { Range: 'bytes=20-' } })).status).toBe(416);
    const forged = await call(`${location}0`, 'GET');
    expect([forged.status, forged.headers['content-type']]).toEqual([403, 'application/xml']);
    expect(forged.text).toContain('<Code>AccessDenied</Code>');
    expect(await harness.notes()).toEqual([]);
    await call(location, 'GET', { headers: { 'JOB-TOKEN': job.token } });
    expect(await harness.notes()).toEqual(['token_to_storage']);
  });
});
