import { ApiError } from '../lib/errors.ts';
import type { Logger } from '../observability/logger.ts';
import type { ApiAnswer, ApiTransport } from './api-transport.ts';
import {
  isCancelRequest,
  type PatchState,
  patchStateOf,
  storedSizeOf,
  type UpdateState,
  updateIntervalOf,
  updateStateOf,
} from './job-answers.ts';
import type { RunnerInfo } from './runner-info.ts';

export interface JobCredentials {
  readonly id: number;
  /** Job token. */
  readonly token: string;
}

export interface UpdateRequest {
  readonly info: RunnerInfo;
  readonly state: 'running' | 'success' | 'failed';
  /** As it goes on the wire. */
  readonly failureReason?: string;
  readonly exitCode?: number;
  readonly output?: { readonly checksum: string; readonly sizeBytes: number };
}

export interface PatchRequest {
  readonly bytes: Uint8Array;
  readonly startOffset: number;
  readonly debugTrace: boolean;
}

interface AnswerSignals {
  readonly cancelRequested: boolean;
  readonly updateIntervalMs: number | undefined;
}

export type UpdateResult = AnswerSignals & { readonly state: UpdateState };
/** `serverSize` counts with `range_mismatch`. */
export type PatchResult = AnswerSignals & { readonly state: PatchState; readonly serverSize: number };

const FAILED = { state: 'failed', cancelRequested: false, updateIntervalMs: undefined } as const;

/**
 * `PUT jobs/:id` (spec protocol.md §2.6). A failure of the transport is the state `failed`.
 * @throws the signal's reason.
 */
export async function updateJob(
  transport: ApiTransport,
  job: JobCredentials,
  update: UpdateRequest,
  logger: Logger,
  signal: AbortSignal,
): Promise<UpdateResult> {
  const answer = await callOrUndefined(
    () =>
      transport.call(
        {
          method: 'PUT',
          path: `jobs/${job.id}`,
          headers: { 'JOB-TOKEN': job.token },
          body: JSON.stringify(updateBody(job, update)),
        },
        signal,
      ),
    (error) => logger.warn('Submitting job to coordinator... failed', { job: job.id, status: error.message }),
  );
  if (answer === undefined) return FAILED;
  const state = updateStateOf(answer.status, answer.header('job-status'));
  logUpdate(state, answer, job, update, logger);
  return { state, ...signalsOf(answer, job, logger) };
}

function updateBody(job: JobCredentials, { info, state, failureReason, exitCode, output }: UpdateRequest) {
  return {
    info,
    token: job.token,
    state,
    ...(failureReason === undefined ? {} : { failure_reason: failureReason }),
    ...(output === undefined ? {} : { checksum: output.checksum }),
    output: {
      ...(output === undefined ? {} : { checksum: output.checksum }),
      ...(output === undefined || output.sizeBytes === 0 ? {} : { bytesize: output.sizeBytes }),
    },
    ...(exitCode === undefined || exitCode === 0 ? {} : { exit_code: exitCode }),
  };
}

/**
 * `PATCH jobs/:id/trace` (spec protocol.md §2.7); not to be called without bytes. A failure of the transport is the
 * state `failed`.
 * @throws the signal's reason.
 */
export async function patchTrace(
  transport: ApiTransport,
  job: JobCredentials,
  patch: PatchRequest,
  logger: Logger,
  signal: AbortSignal,
): Promise<PatchResult> {
  const range = `${patch.startOffset}-${patch.startOffset + patch.bytes.byteLength - 1}`;
  const answer = await callOrUndefined(
    () =>
      transport.call(
        {
          method: 'PATCH',
          path: `jobs/${job.id}/trace?debug_trace=${patch.debugTrace}`,
          headers: { 'JOB-TOKEN': job.token, 'Content-Range': range },
          contentType: 'text/plain',
          body: patch.bytes,
        },
        signal,
      ),
    (error) => logger.error(`Appending trace to coordinator... error ${error.message}`, { job: job.id }),
  );
  if (answer === undefined) return { ...FAILED, serverSize: 0 };
  const state = patchStateOf(answer.status, answer.header('job-status'));
  const serverSize = state === 'range_mismatch' ? storedSizeOf(answer.header('range')) : 0;
  logPatch(state, answer, job, range, logger);
  return { state, serverSize, ...signalsOf(answer, job, logger) };
}

async function callOrUndefined(
  call: () => Promise<ApiAnswer>,
  onFailure: (error: ApiError) => void,
): Promise<ApiAnswer | undefined> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    onFailure(error);
    return undefined;
  }
}

function signalsOf(answer: ApiAnswer, job: JobCredentials, logger: Logger): AnswerSignals {
  const header = answer.header('x-gitlab-trace-update-interval');
  const interval = updateIntervalOf(header);
  if (interval === 'invalid') {
    logger.warn('Failed to parse "X-GitLab-Trace-Update-Interval" header', { job: job.id, 'update-interval': header });
  }
  return {
    cancelRequested: isCancelRequest(answer.header('job-status')),
    updateIntervalMs: interval === 'invalid' ? undefined : interval,
  };
}

function commonFields(answer: ApiAnswer, job: JobCredentials) {
  return {
    job: job.id,
    status: answer.statusText,
    code: answer.status,
    'job-status': answer.header('job-status'),
    'update-interval': answer.header('x-gitlab-trace-update-interval'),
    correlation_id: answer.correlationId,
  };
}

function logUpdate(
  state: UpdateState,
  answer: ApiAnswer,
  job: JobCredentials,
  update: UpdateRequest,
  logger: Logger,
): void {
  const fields = {
    ...commonFields(answer, job),
    checksum: update.output?.checksum,
    bytesize: update.output?.sizeBytes,
  };
  switch (state) {
    case 'ok':
      return logger.info('Submitting job to coordinator...ok', fields);
    case 'accepted_not_completed':
      return logger.info('Submitting job to coordinator...accepted, but not yet completed', fields);
    case 'trace_invalid':
      return logger.info('Submitting job to coordinator...trace validation failed', fields);
    case 'aborted':
      return logAbortedUpdate(answer, fields, logger);
    case 'failed':
      return logger.warn('Submitting job to coordinator... failed', fields);
  }
}

function logAbortedUpdate(answer: ApiAnswer, fields: ReturnType<typeof commonFields>, logger: Logger): void {
  if (answer.status === 403) logger.error('Submitting job to coordinator... forbidden', fields);
  else if (answer.status === 404) logger.warn('Submitting job to coordinator... not found', fields);
  else logger.warn('Submitting job to coordinator... job failed', fields);
}

function logPatch(state: PatchState, answer: ApiAnswer, job: JobCredentials, range: string, logger: Logger): void {
  const fields = { ...commonFields(answer, job), 'sent-log': range, 'job-log': answer.header('range') };
  switch (state) {
    case 'ok':
      return logger.info('Appending trace to coordinator...ok', fields);
    case 'aborted':
      return logger.warn('Appending trace to coordinator... job failed', fields);
    case 'not_found':
      return logger.warn('Appending trace to coordinator... not-found', fields);
    case 'range_mismatch':
      return logger.warn('Appending trace to coordinator... range mismatch', fields);
    case 'failed':
      return logger.warn('Appending trace to coordinator... failed', fields);
  }
}
