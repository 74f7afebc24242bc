import { AbortReason } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { ApiError, errorMessage } from '../lib/errors.ts';
import type { Logger } from '../observability/logger.ts';
import type { HttpClient, HttpRequest, HttpResponse } from '../platform/http-client.ts';
import { sendWithRetry } from './retry.ts';
import { type AnswerText, isJson, statusText } from './status-text.ts';

const LARGEST_ANSWER_BYTES = 64 * 1024 * 1024;

export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Relative to `<url>/api/v4/`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly contentType?: string;
  /** The call decodes a JSON answer. */
  readonly acceptsJson?: boolean;
  readonly longestWaitMs?: number;
  readonly keepAnswer?: boolean;
  readonly onSending?: () => void;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
  /** Lower-case name; empty when absent. */
  header(name: string): string;
  readonly isJson: boolean;
  /** For logs (spec protocol.md §1.6). */
  readonly statusText: string;
  readonly correlationId: string;
  readonly pushedBack: boolean;
  readonly retryAfterMs: number | undefined;
  readonly response: HttpResponse;
}

/** Sends calls to one coordinator: identification, request ids, retries, reading of the answer. */
export interface ApiTransport {
  /** @throws ApiError `unreachable` when no complete answer came; the signal's reason when it is aborted. */
  call(call: ApiCall, signal: AbortSignal): Promise<ApiAnswer>;
}

export interface ApiTransportOptions {
  readonly http: HttpClient;
  readonly baseUrl: URL;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  /** 32 lower-case hex digits, new for every call. */
  readonly newRequestId: () => string;
}

export function createApiTransport(options: ApiTransportOptions): ApiTransport {
  return {
    call: async (call, signal) => {
      const requestId = options.newRequestId();
      const retryOptions = {
        clock: options.clock,
        logger: options.logger,
        random: options.random,
        ...(call.longestWaitMs === undefined ? {} : { longestWaitMs: call.longestWaitMs }),
      };
      const answer = await sendWithRetry(options.http, httpRequest(call, requestId, options), retryOptions, signal);
      const { response } = answer;
      const header = (name: string): string => headerText(response, name);
      const contentType = header('content-type');
      const body = await readText(response);
      const shown: AnswerText = { method: call.method, url: response.url, status: response.status, contentType, body };
      return {
        status: response.status,
        body,
        header,
        isJson: isJson(contentType),
        statusText: statusText(shown),
        correlationId: header('x-request-id') || requestId,
        pushedBack: answer.pushedBack,
        retryAfterMs: answer.retryAfterMs,
        response,
      };
    },
  };
}

function httpRequest(call: ApiCall, requestId: string, options: ApiTransportOptions): HttpRequest {
  return {
    method: call.method,
    url: new URL(call.path, options.baseUrl),
    headers: {
      'User-Agent': options.userAgent,
      'X-Request-Id': requestId,
      ...(call.body === undefined ? {} : { 'Content-Type': call.contentType ?? 'application/json' }),
      ...(call.acceptsJson === true ? { Accept: 'application/json' } : {}),
      ...call.headers,
    },
    ...(call.body === undefined ? {} : { body: call.body }),
    ...(call.keepAnswer === undefined ? {} : { keepAnswer: call.keepAnswer }),
    ...(call.onSending === undefined ? {} : { onSending: call.onSending }),
  };
}

function headerText(response: HttpResponse, name: string): string {
  const value = response.headers[name];
  if (Array.isArray(value)) return value[0] ?? '';
  return value ?? '';
}

async function readText(response: HttpResponse): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      size += chunk.byteLength;
      if (size > LARGEST_ANSWER_BYTES) throw new Error(`the answer is larger than ${LARGEST_ANSWER_BYTES} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof AbortReason || error instanceof ApiError) throw error;
    throw new ApiError('unreachable', `the answer broke off: ${errorMessage(error)}`, {
      cause: error,
      retryable: true,
    });
  }
  return Buffer.concat(chunks).toString('utf8');
}
