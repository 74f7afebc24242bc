import * as z from 'zod';
import { ApiError, errorMessage } from '../lib/errors.ts';
import { redactUrlCredentials } from '../lib/redact.ts';
import type { Logger } from '../observability/logger.ts';
import type { ApiAnswer, ApiTransport } from './api-transport.ts';
import { type JobPayload, jobPayloadSchema } from './job-payload.ts';
import type { RunnerInfo } from './runner-info.ts';
import type { TlsData } from './tls-data.ts';

const LONGEST_WAIT_MS = 5000;

export interface JobRequest {
  readonly info: RunnerInfo;
  readonly systemId: string;
  /** Lets the server hold the request until there is news. */
  readonly longPoll: boolean;
  readonly session?: { readonly url: string; readonly certificate: string; readonly authorization: string };
  /** Called when the request goes out: from here on the server may hand out a job. */
  readonly onSending?: () => void;
}

export type JobRequestResult = {
  /** A status that asks to slow down was seen. */
  readonly pushedBack: boolean;
  /** Do not ask again before this has passed. */
  readonly retryAfterMs: number | undefined;
} & (
  | { readonly kind: 'job'; readonly payload: JobPayload; readonly correlationId: string; readonly tls: TlsData }
  | { readonly kind: 'none' }
  /** The token is not (or no longer) valid. */
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'failed'; readonly message: string }
  /** A job came that cannot be understood; the server waits for its end. */
  | { readonly kind: 'undecodable'; readonly jobId: number; readonly jobToken: string; readonly message: string }
);

export interface JobRequestOptions {
  readonly transport: ApiTransport;
  readonly token: string;
  readonly logger: Logger;
  /** Last value of `X-GitLab-Last-Update`, one per client. */
  readonly lastUpdate: { get(): string; set(value: string): void };
}

const identity = z.object({ id: z.number().int().positive(), token: z.string().min(1) });

/**
 * `POST jobs/request` (spec protocol.md §2.5). Whatever the server answers is a value.
 * Once the answer has begun to arrive, the signal no longer ends the call: a job that was handed out is not dropped.
 * @throws the signal's reason.
 */
export async function requestJob(
  request: JobRequest,
  options: JobRequestOptions,
  signal: AbortSignal,
): Promise<JobRequestResult> {
  let answer: ApiAnswer;
  try {
    answer = await send(request, options, signal);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    options.logger.warn('Checking for jobs... failed', { status: error.message });
    return { kind: 'failed', message: error.message, pushedBack: false, retryAfterMs: undefined };
  }
  const lastUpdate = answer.header('x-gitlab-last-update');
  if (lastUpdate !== '') options.lastUpdate.set(lastUpdate);
  return resultOf(answer, options.logger);
}

function send(request: JobRequest, options: JobRequestOptions, signal: AbortSignal): Promise<ApiAnswer> {
  const lastUpdate = request.longPoll ? options.lastUpdate.get() : '';
  const body = {
    info: request.info,
    ...(options.token === '' ? {} : { token: options.token }),
    ...(request.systemId === '' ? {} : { system_id: request.systemId }),
    ...(lastUpdate === '' ? {} : { last_update: lastUpdate }),
    ...(request.session === undefined ? {} : { session: request.session }),
  };
  return options.transport.call(
    {
      method: 'POST',
      path: 'jobs/request',
      headers: options.token === '' ? {} : { 'RUNNER-TOKEN': options.token },
      body: JSON.stringify(body),
      acceptsJson: true,
      keepAnswer: true,
      longestWaitMs: LONGEST_WAIT_MS,
      ...(request.onSending === undefined ? {} : { onSending: request.onSending }),
    },
    signal,
  );
}

function resultOf(answer: ApiAnswer, logger: Logger): JobRequestResult {
  const { pushedBack, retryAfterMs } = answer;
  const fields = { status: answer.statusText, correlation_id: answer.correlationId };
  switch (answer.status) {
    case 201:
      return jobOf(answer, logger);
    case 204:
      logger.debug('Checking for jobs... nothing', { status: answer.statusText });
      return { kind: 'none', pushedBack, retryAfterMs };
    case 403:
      logger.error('Checking for jobs... forbidden', fields);
      return { kind: 'forbidden', pushedBack, retryAfterMs };
    case 503:
      logger.warn('Checking for jobs... GitLab instance currently unavailable', fields);
      return { kind: 'unavailable', pushedBack, retryAfterMs };
    default:
      logger.warn('Checking for jobs... failed', fields);
      return { kind: 'failed', message: answer.statusText, pushedBack, retryAfterMs };
  }
}

function jobOf(answer: ApiAnswer, logger: Logger): JobRequestResult {
  const { pushedBack, retryAfterMs, correlationId } = answer;
  const decoded = decode(answer);
  if (decoded.payload !== undefined) {
    const { payload } = decoded;
    const repoUrl = cleanRepositoryUrl(payload.git_info.repo_url);
    logger.info('Checking for jobs... received', { job: payload.id, repo_url: repoUrl, correlation_id: correlationId });
    return { kind: 'job', payload, correlationId, tls: tlsDataOf(answer), pushedBack, retryAfterMs };
  }
  const known = identity.safeParse(decoded.json);
  logger.warn('Checking for jobs... failed', { status: decoded.problem, correlation_id: correlationId });
  if (!known.success) return { kind: 'failed', message: decoded.problem, pushedBack, retryAfterMs };
  const { id, token } = known.data;
  return { kind: 'undecodable', jobId: id, jobToken: token, message: decoded.problem, pushedBack, retryAfterMs };
}

type Decoded =
  | { readonly payload: JobPayload }
  | { readonly payload?: undefined; readonly json: unknown; readonly problem: string };

function decode(answer: ApiAnswer): Decoded {
  let json: unknown;
  try {
    json = JSON.parse(answer.body);
  } catch (error) {
    return { json: undefined, problem: `the job is not JSON: ${errorMessage(error)}` };
  }
  if (!answer.isJson) {
    return { json, problem: `the answer's content type is ${JSON.stringify(answer.header('content-type'))}` };
  }
  const parsed = jobPayloadSchema.safeParse(json);
  if (parsed.success) return { payload: parsed.data };
  const [issue] = parsed.error.issues;
  return { json, problem: `the job cannot be decoded: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` };
}

/** Without user, query and fragment. */
function cleanRepositoryUrl(text: string): string {
  const url = URL.parse(text);
  return url === null ? redactUrlCredentials(text) : `${url.protocol}//${url.host}${url.pathname}`;
}

function tlsDataOf(answer: ApiAnswer): TlsData {
  const { tls } = answer.response;
  return {
    caChain: tls.caText ?? answer.response.peerChain().join('\n').trim(),
    certificate: tls.clientCertificate,
    privateKey: tls.clientKey,
  };
}
