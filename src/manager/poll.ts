import type { RunnerConfig } from '../config/runner-config.ts';
import type { ExecutorProvider, Lease } from '../executors/port.ts';
import type { ApiClient } from '../gitlab/api-client.ts';
import type { JobRequestResult } from '../gitlab/job-requests.ts';
import type { RunnerInfo } from '../gitlab/runner-info.ts';
import { AbortReason } from '../lib/abort.ts';
import { ApiError, errorMessage } from '../lib/errors.ts';
import type { Logger } from '../observability/logger.ts';
import { coordinatorDestination } from './coordinator-destination.ts';
import { type JobSupervisor, releaseLease } from './job-supervisor.ts';
import type { RequestLimit } from './request-limit.ts';
import type { RunnerHealth } from './runner-health.ts';
import type { Reservation, SlotTable } from './slot-table.ts';
import type { TokenUsage } from './token-usage.ts';

/** How long a request keeps its slot from a runner that waits, see `SlotTable`; milliseconds. */
export interface RequestGraces {
  readonly connectingMs: number;
  /** Of a request that the server may hold. */
  readonly heldMs: number;
  /** Of a request whose answer is due at once. */
  readonly answerMs: number;
}

export const defaultRequestGraces: RequestGraces = { connectingMs: 1000, heldMs: 3000, answerMs: 10_000 };

const REPORT_LIMIT_MS = 10 * 60_000;

/** One `[[runners]]` entry with what polling for it needs. */
export interface PolledRunner {
  readonly runner: RunnerConfig;
  /** Names the entry in the slot table. */
  readonly key: string;
  readonly provider: ExecutorProvider | undefined;
  readonly info: RunnerInfo;
  /** @throws ApiError when the URL cannot be used. */
  readonly client: () => ApiClient;
  readonly slots: SlotTable;
  readonly usage: TokenUsage;
  readonly requestLimit: RequestLimit;
  readonly health: RunnerHealth;
  readonly jobs: JobSupervisor;
  readonly graces: RequestGraces;
  readonly logger: Logger;
}

export interface PollOutcome {
  readonly kind: 'job' | 'no_job' | 'unanswered';
  /** The server wants to be left alone for so long. */
  readonly retryAfterMs: number | undefined;
}

const NO_JOB: PollOutcome = { kind: 'no_job', retryAfterMs: undefined };

/**
 * Asks once for a job and starts it if one came. Takes over the reservation: it is given back here, or by the job.
 * @throws only bugs
 */
export async function poll(polled: PolledRunner, reservation: Reservation): Promise<PollOutcome> {
  const { usage, requestLimit, slots, runner } = polled;
  usage.requests += 1;
  let lease: Lease | undefined;
  let isHandedOver = false;
  try {
    lease = await acquire(polled, reservation.signal);
    if (lease === undefined) {
      requestLimit.observe('no_job');
      return NO_JOB;
    }
    const result = await request(polled, reservation);
    if (result === 'preempted') return { kind: 'unanswered', retryAfterMs: undefined };
    if (result === undefined) return NO_JOB;
    observe(polled, result);
    if (result.kind === 'undecodable') await failUndecodable(polled, result);
    if (result.kind !== 'job') return { kind: 'no_job', retryAfterMs: result.retryAfterMs };
    isHandedOver = true;
    startJob(polled, result, lease, reservation);
    return { kind: 'job', retryAfterMs: undefined };
  } finally {
    usage.requests -= 1;
    usage.changed.notify();
    if (!isHandedOver) {
      if (lease !== undefined) await releaseLease(lease, polled.logger);
      reservation.release();
    }
    slots.setInterested(polled.key, isBelowLimit(runner, usage));
  }
}

/** Whether `limit` lets this runner have one more job, when `expected` requests under way each bring one. */
export function isBelowLimit(runner: RunnerConfig, usage: TokenUsage, expected = 0): boolean {
  return runner.limit === 0 || usage.jobs + expected < runner.limit;
}

async function acquire(polled: PolledRunner, signal: AbortSignal): Promise<Lease | undefined> {
  const { provider, runner, logger, health } = polled;
  if (provider === undefined) {
    logger.error(`Executor "${runner.executor}" is not known; marking Runner as unhealthy`);
    health.unhealthy();
    return undefined;
  }
  try {
    return await provider.acquire(runner, signal);
  } catch (error) {
    if (!signal.aborted) logger.error('Failed to acquire an executor', { error: errorMessage(error) });
    return undefined;
  }
}

/** `preempted`: the server had not answered when the slot was given to another runner. */
async function request(
  polled: PolledRunner,
  reservation: Reservation,
): Promise<JobRequestResult | 'preempted' | undefined> {
  const { info, runner, slots, key, logger, health, graces } = polled;
  const longPoll = slots.mayHold(key);
  let client: ApiClient;
  try {
    client = polled.client();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    logger.error('Checking for jobs... client error', { error: error.message });
    health.unhealthy();
    return undefined;
  }
  reservation.preemptAfter(graces.connectingMs);
  const onSending = (): void => reservation.preemptAfter(longPoll ? graces.heldMs : graces.answerMs);
  try {
    return await client.requestJob({ info, systemId: runner.systemId, longPoll, onSending }, reservation.signal);
  } catch (error) {
    if (!reservation.signal.aborted) throw error;
    return reservation.wasPreempted && !longPoll ? 'preempted' : undefined;
  }
}

function observe(polled: PolledRunner, result: JobRequestResult): void {
  const { health, requestLimit } = polled;
  if (result.kind === 'forbidden') health.unhealthy();
  else health.healthy();
  if (result.pushedBack) requestLimit.observe('pushed_back');
  else requestLimit.observe(result.kind === 'job' ? 'job' : 'no_job');
}

function startJob(
  polled: PolledRunner,
  result: Extract<JobRequestResult, { kind: 'job' }>,
  lease: Lease,
  reservation: Reservation,
): void {
  const { runner, info, usage, requestLimit } = polled;
  const { payload, correlationId, tls } = result;
  reservation.keep();
  const destination = coordinatorDestination(polled.client(), { id: payload.id, token: payload.token }, info);
  polled.jobs.start(
    { payload, runner, correlationId, tls, destination },
    { lease, usage, releaseSlot: () => reservation.release(), onRefused: () => requestLimit.observe('no_job') },
  );
}

/** The server waits for this job's end; without a word from us it would find out by timing out. */
async function failUndecodable(
  polled: PolledRunner,
  result: Extract<JobRequestResult, { kind: 'undecodable' }>,
): Promise<void> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new AbortReason('aborted', 'reporting took too long')), REPORT_LIMIT_MS);
  polled.logger.error('A job cannot be understood and is reported as failed', {
    job: result.jobId,
    error: result.message,
  });
  try {
    await polled
      .client()
      .updateJob(
        { id: result.jobId, token: result.jobToken },
        { info: polled.info, state: 'failed', failureReason: 'runner_system_failure' },
        limit.signal,
      );
  } catch (error) {
    polled.logger.warn('A failed job could not be reported', { job: result.jobId, error: errorMessage(error) });
  } finally {
    clearTimeout(timer);
  }
}
