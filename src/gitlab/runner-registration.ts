import * as z from 'zod';
import { ApiError } from '../lib/errors.ts';
import type { Logger } from '../observability/logger.ts';
import type { ApiAnswer, ApiTransport } from './api-transport.ts';
import type { RunnerInfo } from './runner-info.ts';

/** What the server says of a runner; null = the token never expires. */
export interface RegisteredRunner {
  readonly id: number;
  readonly token: string;
  readonly tokenExpiresAt: Date | null;
}

export interface RegistrationRequest {
  readonly info: RunnerInfo;
  readonly registrationToken: string;
  readonly description: string;
  readonly maintenanceNote: string;
  /** Comma separated. */
  readonly tagList: string;
  readonly runUntagged: boolean;
  readonly locked: boolean;
  readonly accessLevel: string;
  readonly maximumTimeoutSeconds: number;
  readonly paused: boolean;
}

export type VerifyResult =
  | { readonly kind: 'valid'; readonly runner: RegisteredRunner | undefined }
  | { readonly kind: 'removed' }
  /** The server could not be asked; the runner counts as registered. */
  | { readonly kind: 'unknown'; readonly message: string };

/** With the runner's own token, or with a personal access token and the runner's id. */
export type ResetTokenRequest =
  | { readonly token: string }
  | { readonly personalAccessToken: string; readonly runnerId: number };

const expiry = z.iso.datetime({ offset: true }).nullish();
const runnerAnswer = z.object({
  id: z.number().int().nullish(),
  token: z.string().nullish(),
  token_expires_at: expiry,
});

/** Whether the token belongs to a runner that was made in GitLab's user interface. */
export function isCreatedInUi(token: string): boolean {
  return token.startsWith('glrt-');
}

/**
 * `POST runners` with a registration token (spec protocol.md §2.1).
 * @throws ApiError `forbidden` when the token is refused, `rejected` with the server's text, `unreachable`, `protocol`.
 */
export async function registerRunner(
  transport: ApiTransport,
  request: RegistrationRequest,
  logger: Logger,
  signal: AbortSignal,
): Promise<RegisteredRunner> {
  const answer = await transport.call(
    {
      method: 'POST',
      path: 'runners',
      headers: runnerToken(request.registrationToken),
      body: JSON.stringify(registrationBody(request)),
      acceptsJson: true,
    },
    signal,
  );
  if (answer.status === 201) {
    const runner = decodeRunner(answer);
    logger.info('Registering runner... succeeded');
    return runner;
  }
  if (answer.status === 403) {
    logger.error('Registering runner... forbidden (check registration token)', {
      correlation_id: answer.correlationId,
    });
    throw rejection('forbidden', 'The registration token was refused', answer);
  }
  logger.error('Registering runner... failed', { status: answer.statusText, correlation_id: answer.correlationId });
  throw rejection('rejected', 'The runner could not be registered', answer);
}

function registrationBody(request: RegistrationRequest) {
  return {
    token: request.registrationToken,
    ...nonEmpty('description', request.description),
    ...nonEmpty('maintenance_note', request.maintenanceNote),
    ...nonEmpty('tag_list', request.tagList),
    run_untagged: request.runUntagged || request.tagList === '',
    locked: request.locked,
    ...nonEmpty('access_level', request.accessLevel),
    ...(request.maximumTimeoutSeconds === 0 ? {} : { maximum_timeout: request.maximumTimeoutSeconds }),
    paused: request.paused,
    info: request.info,
  };
}

/**
 * `POST runners/verify` (spec protocol.md §2.2). An answer that is not JSON (old servers) is asked for once more and
 * judged by its status.
 * @throws the signal's reason.
 */
export async function verifyRunner(
  transport: ApiTransport,
  request: { readonly info: RunnerInfo; readonly token: string; readonly systemId: string },
  logger: Logger,
  signal: AbortSignal,
): Promise<VerifyResult> {
  const { info, token, systemId } = request;
  const call = {
    method: 'POST',
    path: 'runners/verify',
    headers: runnerToken(token),
    body: JSON.stringify({ info, ...nonEmpty('token', token), ...nonEmpty('system_id', systemId) }),
    acceptsJson: true,
  } as const;
  try {
    const answer = await transport.call(call, signal);
    const isReadable = answer.status !== 200 || (answer.isJson && isRunnerAnswer(answer));
    return verdict(isReadable ? answer : await transport.call(call, signal), token, logger);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    logger.error('Verifying runner... failed', { status: error.message });
    return { kind: 'unknown', message: error.message };
  }
}

function verdict(answer: ApiAnswer, token: string, logger: Logger): VerifyResult {
  const fields = { correlation_id: answer.correlationId };
  if (answer.status === 200) {
    logger.info(isCreatedInUi(token) ? 'Verifying runner... is valid' : 'Verifying runner... is alive', fields);
    return { kind: 'valid', runner: answer.isJson && isRunnerAnswer(answer) ? decodeRunner(answer) : undefined };
  }
  if (answer.status === 403) {
    if (isCreatedInUi(token)) logger.info('Verifying runner... is not valid', fields);
    else logger.error('Verifying runner... is removed', fields);
    return { kind: 'removed' };
  }
  logger.error('Verifying runner... failed', { status: answer.statusText, ...fields });
  return { kind: 'unknown', message: answer.statusText };
}

/**
 * Removes the runner, or with a `glrt-` token this manager of it (spec protocol.md §2.3).
 * @throws ApiError
 */
export async function unregisterRunner(
  transport: ApiTransport,
  request: { readonly token: string; readonly systemId: string },
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { token, systemId } = request;
  const isManager = isCreatedInUi(token);
  const answer = await transport.call(
    {
      method: 'DELETE',
      path: isManager ? 'runners/managers' : 'runners',
      headers: runnerToken(token),
      body: JSON.stringify(isManager ? { token, system_id: systemId } : { token }),
    },
    signal,
  );
  const what = isManager ? 'Unregistering runner manager from GitLab' : 'Unregistering runner from GitLab';
  if (answer.status === 204) {
    logger.info(`${what} succeeded`, { correlation_id: answer.correlationId });
    return;
  }
  if (answer.status === 403) {
    logger.error(`${what} forbidden`, { correlation_id: answer.correlationId });
    throw rejection('forbidden', 'The runner may not be unregistered', answer);
  }
  logger.error(`${what} failed`, { status: answer.statusText, correlation_id: answer.correlationId });
  throw rejection('rejected', 'The runner could not be unregistered', answer);
}

/**
 * Gets a new authentication token (spec protocol.md §2.4); the old one stops working.
 * @throws ApiError
 */
export async function resetRunnerToken(
  transport: ApiTransport,
  request: ResetTokenRequest,
  logger: Logger,
  signal: AbortSignal,
): Promise<{ readonly token: string; readonly tokenExpiresAt: Date | null }> {
  const isPersonal = 'personalAccessToken' in request;
  const answer = await transport.call(
    {
      method: 'POST',
      path: isPersonal
        ? `runners/${request.runnerId}/reset_authentication_token`
        : 'runners/reset_authentication_token',
      headers: isPersonal ? { 'PRIVATE-TOKEN': request.personalAccessToken } : {},
      body: isPersonal ? 'null' : JSON.stringify({ token: request.token }),
      acceptsJson: true,
    },
    signal,
  );
  if (answer.status === 201) {
    const { token, tokenExpiresAt } = decodeRunner(answer);
    if (token === '') throw new ApiError('protocol', 'The answer to a token reset holds no token');
    logger.info('Resetting runner authentication token... succeeded');
    return { token, tokenExpiresAt };
  }
  const isForbidden = answer.status === 403;
  const line = 'Resetting runner authentication token... failed';
  logger.error(isForbidden ? `${line} (check used token)` : line, { status: answer.statusText });
  throw rejection(isForbidden ? 'forbidden' : 'rejected', 'The runner token could not be reset', answer);
}

function runnerToken(token: string): Readonly<Record<string, string>> {
  return token === '' ? {} : { 'RUNNER-TOKEN': token };
}

function nonEmpty(key: string, value: string): Readonly<Record<string, string>> {
  return value === '' ? {} : { [key]: value };
}

function isRunnerAnswer(answer: ApiAnswer): boolean {
  return parseRunner(answer) !== undefined;
}

function parseRunner(answer: ApiAnswer): z.output<typeof runnerAnswer> | undefined {
  try {
    return runnerAnswer.parse(JSON.parse(answer.body));
  } catch {
    return undefined;
  }
}

function decodeRunner(answer: ApiAnswer): RegisteredRunner {
  const parsed = answer.isJson ? parseRunner(answer) : undefined;
  if (parsed === undefined) {
    throw new ApiError('protocol', `The server's answer cannot be read (${answer.statusText})`, {
      status: answer.status,
    });
  }
  const expiresAt = parsed.token_expires_at ?? null;
  return {
    id: parsed.id ?? 0,
    token: parsed.token ?? '',
    tokenExpiresAt: expiresAt === null ? null : new Date(expiresAt),
  };
}

function rejection(kind: 'forbidden' | 'rejected', what: string, answer: ApiAnswer): ApiError {
  return new ApiError(kind, `${what}: ${answer.statusText}`, { status: answer.status });
}
