import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import type { CoordinatorOptions } from '../../../src/coordinator/options.ts';
import { type RunningCoordinator, startCoordinator } from '../../../src/coordinator/start.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** The JSON body; throws when it is none. */
  json(): Record<string, unknown>;
  /** The JSON body as a list of objects. */
  list(): readonly Record<string, unknown>[];
}

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

/** One real request on its own connection. */
export async function call(url: string, method: string, options: CallOptions = {}): Promise<Answer> {
  const body = options.json === undefined ? options.body : JSON.stringify(options.json);
  const headers = {
    'User-Agent': 'millrace-test 1.0.0 (main; node; linux/amd64)',
    'X-Request-Id': randomBytes(16).toString('hex'),
    ...(options.json === undefined ? {} : { 'Content-Type': 'application/json', Accept: 'application/json' }),
    ...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
    ...options.headers,
  };
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false, signal: options.signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (!response.complete) return reject(new Error('the answer was cut'));
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString('utf8');
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          bytes,
          text,
          json: () => JSON.parse(text) as Record<string, unknown>,
          list: () => JSON.parse(text) as readonly Record<string, unknown>[],
        });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

export const allFeatures = Object.fromEntries(
  [
    'artifacts',
    'upload_multiple_artifacts',
    'artifacts_exclude',
    'multi_build_steps',
    'fallback_cache_keys',
    'cancel_gracefully',
    'two_phase_job_commit',
    'return_exit_code',
  ].map((feature) => [feature, true]),
);

export interface TakenJob {
  readonly id: number;
  readonly token: string;
  readonly payload: ReturnType<Answer['json']>;
}

/** A coordinator for one test, and the calls tests make of it. */
export class Harness {
  readonly coordinator: RunningCoordinator;
  readonly runner: { readonly id: number; readonly token: string };

  constructor(coordinator: RunningCoordinator) {
    this.coordinator = coordinator;
    this.runner = coordinator.createRunner({ description: 'test' });
  }

  api(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    return call(`${this.coordinator.url}/api/v4/${path}`, method, options);
  }

  admin(method: string, path: string, json?: unknown): Promise<Answer> {
    const headers = { 'PRIVATE-TOKEN': this.coordinator.adminToken };
    const url = `${this.coordinator.url}/api/millrace/v1/${path}`;
    return call(url, method, json === undefined ? { headers } : { headers, json });
  }

  /** Asks for a job once. */
  requestJob(
    options: {
      readonly token?: string;
      readonly lastUpdate?: string;
      readonly features?: Readonly<Record<string, boolean>>;
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<Answer> {
    const token = options.token ?? this.runner.token;
    return this.api('POST', 'jobs/request', {
      headers: { 'RUNNER-TOKEN': token },
      json: {
        token,
        system_id: 's_0123456789ab',
        info: { name: 'gitlab-runner', features: options.features ?? allFeatures },
        ...(options.lastUpdate === undefined ? {} : { last_update: options.lastUpdate }),
      },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  }

  /** Takes the next job; fails the test when there is none. */
  async takeJob(features: Readonly<Record<string, boolean>> = allFeatures): Promise<TakenJob> {
    const answer = await this.requestJob({ features });
    if (answer.status !== 201) throw new Error(`no job: ${answer.status} ${answer.text}`);
    const payload = answer.json();
    return { id: Number(payload['id']), token: String(payload['token']), payload };
  }

  /** Takes the next job and says that it runs. */
  async startJob(): Promise<TakenJob> {
    const job = await this.takeJob();
    await this.update(job, { state: 'running' });
    return job;
  }

  update(job: TakenJob, change: Readonly<Record<string, unknown>>): Promise<Answer> {
    return this.api('PUT', `jobs/${job.id}`, {
      headers: { 'JOB-TOKEN': job.token },
      json: { token: job.token, info: {}, output: {}, ...change },
    });
  }

  /** Runs a whole job: takes it, and ends it at once. */
  async runJob(end: Readonly<Record<string, unknown>> = { state: 'success' }): Promise<TakenJob> {
    const job = await this.startJob();
    const answer = await this.update(job, end);
    if (answer.status !== 200) throw new Error(`not ended: ${answer.status} ${answer.text}`);
    return job;
  }

  trace(job: TakenJob, start: number, body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}) {
    return this.api('PATCH', `jobs/${job.id}/trace?debug_trace=false`, {
      headers: {
        'JOB-TOKEN': job.token,
        'Content-Type': 'text/plain',
        'Content-Range': `${start}-${start + Buffer.byteLength(body) - 1}`,
        ...headers,
      },
      body,
    });
  }

  upload(
    job: Pick<TakenJob, 'id' | 'token'>,
    content: string | Uint8Array,
    options: { readonly query?: string; readonly filename?: string; readonly field?: string } = {},
  ): Promise<Answer> {
    const form = multipart(content, options.field ?? 'file', options.filename ?? 'artifacts.zip');
    return this.api('POST', `jobs/${job.id}/artifacts?${options.query ?? ''}`, {
      headers: { 'JOB-TOKEN': job.token, 'Content-Type': form.contentType },
      body: form.body,
    });
  }

  uploadDotenv(job: TakenJob, content: string): Promise<Answer> {
    const query = 'artifact_format=gzip&artifact_type=dotenv';
    return this.upload(job, gzipSync(content), { query, filename: '.env.gz' });
  }

  async submitRawJob(payload: Readonly<Record<string, unknown>> = rawPayload(), query = ''): Promise<number> {
    const answer = await this.admin('POST', `jobs${query}`, payload);
    if (answer.status !== 201) throw new Error(answer.text);
    return Number(answer.json()['id']);
  }

  async submit(jobs: readonly Readonly<Record<string, unknown>>[], more: Readonly<Record<string, unknown>> = {}) {
    const answer = await this.admin('POST', 'pipelines', submission(jobs, more));
    if (answer.status !== 201) throw new Error(answer.text);
    return Number(answer.json()['id']);
  }

  async job(id: number): Promise<ReturnType<Answer['json']>> {
    return (await this.admin('GET', `jobs/${id}`)).json();
  }

  /** Status by name of the latest attempts. */
  async statuses(pipelineId: number): Promise<Record<string, string>> {
    const pipeline = (await this.admin('GET', `pipelines/${pipelineId}`)).json();
    const jobs = pipeline['jobs'] as readonly { name: string; status: string }[];
    return Object.fromEntries(jobs.map((job) => [job.name, job.status]));
  }

  /** The events of a pipeline until its stream ends. */
  async events(pipelineId: number, from = 0): Promise<readonly Record<string, unknown>[]> {
    const answer = await this.admin('GET', `pipelines/${pipelineId}/events?from=${from}`);
    return answer.text
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async notes(): Promise<readonly string[]> {
    const notes = (await this.admin('GET', 'protocol-notes')).list();
    return notes.map((note) => String(note['rule']));
  }
}

/** Starts a coordinator that ends with the test. */
export async function startHarness(options: Partial<CoordinatorOptions> = {}): Promise<Harness> {
  const dataDir = options.dataDir ?? (await temporaryFolder());
  const coordinator = await startCoordinator({ longPollSeconds: 0, ...options, dataDir });
  onTestFinished(() => coordinator.close());
  return new Harness(coordinator);
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'coordinator-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Asks again and again until the answer is right; fails after ten seconds. */
export async function eventually<T>(ask: () => Promise<T>, isRight: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const value = await ask();
    if (isRight(value)) return value;
    if (Date.now() > deadline) throw new Error(`it did not happen; at last: ${JSON.stringify(value)}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

export function multipart(content: string | Uint8Array, field: string, filename: string) {
  const boundary = randomBytes(12).toString('hex');
  const head =
    `--${boundary}\r\nContent-Disposition: form-data; name="${field}"; filename="${filename}"\r\n` +
    'Content-Type: application/octet-stream\r\n\r\n';
  const body = Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return { contentType: `multipart/form-data; boundary=${boundary}`, body };
}

export function rawPayload(name = 'raw'): Record<string, unknown> {
  return {
    job_info: { name, stage: 'test', project_id: 1, project_name: 'p' },
    runner_info: { timeout: 60 },
    variables: [{ key: 'GIT_STRATEGY', value: 'none', public: true }],
    steps: [{ name: 'script', script: ['true'], when: 'on_success', timeout: 60 }],
  };
}

export function submission(
  jobs: readonly Readonly<Record<string, unknown>>[],
  more: Readonly<Record<string, unknown>>,
) {
  return {
    project: { id: 1, name: 'project', path: 'group/project' },
    git: {
      ref: 'main',
      ref_type: 'branch',
      sha: '1'.repeat(40),
      before_sha: '0'.repeat(40),
      protected: false,
      depth: 20,
    },
    stages: ['.pre', 'build', 'test', 'deploy', '.post'],
    jobs: jobs.map((job) => ({
      stage: 'test',
      needs: null,
      dependencies: null,
      when: 'on_success',
      timeout_seconds: 600,
      variables_below_dotenv: [],
      variables_above_dotenv: [],
      steps: [{ name: 'script', script: ['true'] }],
      ...job,
    })),
    ...more,
  };
}
