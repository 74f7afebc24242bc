import type { Clock } from '../lib/clock.ts';
import { shortToken } from '../lib/short-token.ts';
import type { Logger } from '../observability/logger.ts';
import type { HttpClient } from '../platform/http-client.ts';
import { createApiTransport } from './api-transport.ts';
import { apiBaseUrl } from './api-url.ts';
import { type JobRequest, type JobRequestResult, requestJob } from './job-requests.ts';
import {
  type JobCredentials,
  type PatchRequest,
  type PatchResult,
  patchTrace,
  type UpdateRequest,
  type UpdateResult,
  updateJob,
} from './job-updates.ts';
import type { RunnerInfo } from './runner-info.ts';
import {
  type RegisteredRunner,
  type RegistrationRequest,
  type ResetTokenRequest,
  registerRunner,
  resetRunnerToken,
  unregisterRunner,
  type VerifyResult,
  verifyRunner,
} from './runner-registration.ts';

/**
 * Speaks the Runner API to one coordinator with one runner's token. Its methods may be called concurrently; every one
 * rejects with the signal's reason when the signal is aborted.
 */
export interface ApiClient {
  /** Whatever the server answers is a value; nothing else is thrown. */
  requestJob(request: JobRequest, signal: AbortSignal): Promise<JobRequestResult>;
  updateJob(job: JobCredentials, update: UpdateRequest, signal: AbortSignal): Promise<UpdateResult>;
  patchTrace(job: JobCredentials, patch: PatchRequest, signal: AbortSignal): Promise<PatchResult>;
  /** @throws ApiError */
  register(request: RegistrationRequest, signal: AbortSignal): Promise<RegisteredRunner>;
  verify(request: { readonly info: RunnerInfo; readonly systemId: string }, signal: AbortSignal): Promise<VerifyResult>;
  /** @throws ApiError */
  unregister(request: { readonly systemId: string }, signal: AbortSignal): Promise<void>;
  /** @throws ApiError */
  resetToken(
    request: ResetTokenRequest,
    signal: AbortSignal,
  ): Promise<{ readonly token: string; readonly tokenExpiresAt: Date | null }>;
  /** Closes idle connections. */
  close(): void;
}

export interface ApiClientOptions {
  readonly http: HttpClient;
  /** As configured. */
  readonly url: string;
  /** Runner token; empty while registering. */
  readonly token: string;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
  /** 32 lower-case hex digits. */
  readonly newRequestId: () => string;
}

/** @throws ApiError `protocol` when the URL cannot be used. */
export function createApiClient(options: ApiClientOptions): ApiClient {
  const { token } = options;
  const logger = token === '' ? options.logger : options.logger.child({ runner: shortToken(token) });
  const transport = createApiTransport({ ...options, logger, baseUrl: apiBaseUrl(options.url) });
  let lastUpdate = '';
  const jobRequestOptions = {
    transport,
    token,
    logger,
    lastUpdate: {
      get: () => lastUpdate,
      set: (value: string) => {
        lastUpdate = value;
      },
    },
  };
  return {
    requestJob: (request, signal) => requestJob(request, jobRequestOptions, signal),
    updateJob: (job, update, signal) => updateJob(transport, job, update, logger, signal),
    patchTrace: (job, patch, signal) => patchTrace(transport, job, patch, logger, signal),
    register: (request, signal) => registerRunner(transport, request, logger, signal),
    verify: (request, signal) => verifyRunner(transport, { ...request, token }, logger, signal),
    unregister: (request, signal) => unregisterRunner(transport, { ...request, token }, logger, signal),
    resetToken: (request, signal) => resetRunnerToken(transport, request, logger, signal),
    close: () => options.http.close(),
  };
}
