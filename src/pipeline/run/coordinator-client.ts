import { Readable } from 'node:stream';
import * as z from 'zod';
import type { PipelineEvent, PipelineSubmission, SourcesManifest } from '../../coordinator/submission.ts';
import { type SourcesUploadHeader, sourcesUploadType } from '../../coordinator/submission.ts';
import { ApiError, CommandError } from '../../lib/errors.ts';
import { createHttpClient, type HttpRequest, type HttpResponse } from '../../platform/http-client.ts';
import { proxyFromEnvironment } from '../../platform/proxy-environment.ts';
import { createTlsTrust } from '../../platform/tls-trust.ts';
import { checkedCoordinatorUrl, notACoordinator, unreachableCoordinator } from './coordinator-errors.ts';

export interface CoordinatorAddress {
  readonly url: string;
  readonly adminToken: string;
  /** PEM file of the authority that signed the coordinator's certificate; empty = the system's. */
  readonly caFile: string;
}

const jobView = z.object({
  id: z.number(),
  name: z.string(),
  status: z.string(),
  is_retried: z.boolean(),
  artifacts: z.array(z.object({ type: z.string(), format: z.string(), filename: z.string() })),
});
const pipelineView = z.object({ id: z.number(), url: z.string(), jobs: z.array(jobView) });

export type PipelineView = z.output<typeof pipelineView>;

const runnerView = z.object({ tags: z.array(z.string()), run_untagged: z.boolean(), paused: z.boolean() });

export type RunnerView = z.output<typeof runnerView>;

/** The administration API of a coordinator, as far as running a pipeline needs it. */
export interface CoordinatorClient {
  /** The runners that the coordinator knows. */
  runners(signal: AbortSignal): Promise<readonly RunnerView[]>;
  submit(submission: PipelineSubmission, signal: AbortSignal): Promise<PipelineView>;
  /** Names folders on this machine as the sources; the jobs may start then. */
  nameSources(pipelineId: number, manifest: SourcesManifest, signal: AbortSignal): Promise<void>;
  /** Uploads one part of the sources. */
  uploadPart(
    pipelineId: number,
    header: SourcesUploadHeader,
    content: (() => Readable) | undefined,
    signal: AbortSignal,
  ): Promise<void>;
  /** Events from a number on, until the pipeline is over or waits for somebody. */
  events(pipelineId: number, from: number, signal: AbortSignal): AsyncGenerator<PipelineEvent>;
  read(pipelineId: number, signal: AbortSignal): Promise<PipelineView>;
  /** `cancel` lets after_script and later build stages run, `abort` does not. */
  stop(pipelineId: number, how: 'cancel' | 'abort', signal: AbortSignal): Promise<void>;
  /** An artifact's bytes. */
  artifact(jobId: number, type: string, signal: AbortSignal): Promise<AsyncIterable<Buffer>>;
  close(): void;
}

/** Longest time a timer takes: a pipeline may run for weeks. */
const unlimitedMs = 2 ** 31 - 1;

/**
 * Connects to a coordinator. Nothing is sent yet.
 * @throws CommandError where the address is none.
 */
export function connectCoordinator(
  address: CoordinatorAddress,
  env: Readonly<Record<string, string | undefined>>,
  reportProblem: (message: string) => void,
): CoordinatorClient {
  const http = createHttpClient({
    trust: createTlsTrust({ environment: env, reportProblem }),
    tlsFiles: { caFile: address.caFile, certFile: '', keyFile: '' },
    proxyFor: proxyFromEnvironment(env),
    connectionMaxAgeMs: 0,
  });
  const origin = checkedCoordinatorUrl(address.url);
  const base = `${origin}/api/millrace/v1`;

  const send = async (
    method: string,
    path: string,
    signal: AbortSignal,
    body?: HttpRequest['body'],
    contentType = 'application/json',
  ): Promise<HttpResponse> => {
    const response = await http
      .send(
        {
          method,
          url: new URL(`${base}/${path}`),
          headers: {
            'PRIVATE-TOKEN': address.adminToken,
            ...(body === undefined ? {} : { 'Content-Type': contentType }),
          },
          ...(body === undefined ? {} : { body }),
          timeoutMs: unlimitedMs,
        },
        signal,
      )
      .catch((error: unknown) => {
        throw unreachableCoordinator(origin, error);
      });
    if (response.status >= 200 && response.status < 300) return response;
    throw refusal(origin, method, path, response.status, await readText(contentOf(response)));
  };
  const contentOf = (response: HttpResponse): AsyncIterable<Buffer> => readable(response.body, origin);
  const sendFor = async <T>(view: z.ZodType<T>, ...args: Parameters<typeof send>): Promise<T> => {
    const text = await readText(contentOf(await send(...args)));
    try {
      return view.parse(JSON.parse(text));
    } catch (error) {
      throw notACoordinator(origin, error);
    }
  };

  return {
    runners: async (signal) => await sendFor(z.array(runnerView), 'GET', 'runners', signal),
    submit: async (submission, signal) =>
      await sendFor(pipelineView, 'POST', 'pipelines', signal, JSON.stringify(submission)),
    nameSources: async (id, manifest, signal) => {
      (await send('POST', `pipelines/${id}/sources`, signal, JSON.stringify(manifest))).discard();
    },
    uploadPart: async (id, header, content, signal) => {
      const line = `${JSON.stringify(header)}\n`;
      const body = content === undefined ? line : (): Readable => prefixed(line, content());
      (await send('POST', `pipelines/${id}/sources`, signal, body, sourcesUploadType)).discard();
    },
    events: async function* (id, from, signal) {
      const response = await send('GET', `pipelines/${id}/events?from=${from}`, signal);
      for await (const line of linesOf(contentOf(response))) yield JSON.parse(line) as PipelineEvent;
    },
    read: async (id, signal) => await sendFor(pipelineView, 'GET', `pipelines/${id}`, signal),
    stop: async (id, how, signal) => {
      (await send('POST', `pipelines/${id}/${how}`, signal)).discard();
    },
    artifact: async (jobId, type, signal) => {
      const path = `jobs/${jobId}/artifacts/${encodeURIComponent(type)}`;
      return contentOf(await send('GET', path, signal));
    },
    close: () => http.close(),
  };
}

function refusal(origin: string, method: string, path: string, status: number, body: string): Error {
  const what = `${method} ${path}: the coordinator answered ${status}: ${messageOf(body)}`;
  if (status === 401 || status === 403) {
    return new CommandError(`the coordinator at ${origin} refuses the administrator token`, {
      exitCode: 2,
      hint: 'It prints the right one when it starts. Give it in a file with --admin-token-file, or in MILLRACE_ADMIN_TOKEN.',
    });
  }
  if (status === 400) return new CommandError(what, { exitCode: 2 });
  if (status === 404 && (path === 'pipelines' || path === 'runners')) return notACoordinator(origin, new Error(what));
  return new ApiError('rejected', what, { status });
}

function messageOf(body: string): string {
  try {
    const parsed = z.object({ message: z.unknown() }).parse(JSON.parse(body));
    return typeof parsed.message === 'string' ? parsed.message : JSON.stringify(parsed.message);
  } catch {
    return body.slice(0, 500);
  }
}

/** A body whose breaking off names the server. */
async function* readable(body: Readable, origin: string): AsyncGenerator<Buffer> {
  try {
    yield* body as AsyncIterable<Buffer>;
  } catch (error) {
    throw unreachableCoordinator(origin, error);
  }
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function prefixed(line: string, content: Readable): Readable {
  return Readable.from(
    (async function* () {
      yield Buffer.from(line);
      for await (const chunk of content as AsyncIterable<Buffer>) yield chunk;
    })(),
  );
}

/** Cuts a stream into its lines; a last line without end is one too. */
async function* linesOf(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let pending: Buffer[] = [];
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      pending.push(chunk.subarray(start, end));
      yield Buffer.concat(pending).toString('utf8');
      pending = [];
      start = end + 1;
    }
    pending.push(chunk.subarray(start));
  }
  const last = Buffer.concat(pending).toString('utf8');
  if (last !== '') yield last;
}
