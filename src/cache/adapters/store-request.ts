import { AbortReason } from '../../lib/abort.ts';
import { ExternalDependencyError, errorMessage } from '../../lib/errors.ts';
import { headerOf, parseXmlError, readAnswerText, statusLine } from '../../platform/http-answer.ts';
import type { HttpClient, HttpRequest, HttpResponse } from '../../platform/http-client.ts';

/** What goes before the answer's own words, and after them. */
export interface RequestPurpose {
  /** `read the bucket's location` */
  readonly what: string;
  /** By answered status: what to check. */
  readonly hints?: Readonly<Record<number, string>>;
}

/**
 * Sends a request; any answer is one.
 * @throws ExternalDependencyError, `retryable`, when the transport fails; the signal's reason.
 */
export async function sendToStore(
  http: HttpClient,
  request: HttpRequest,
  purpose: RequestPurpose,
  signal: AbortSignal,
): Promise<HttpResponse> {
  try {
    return await http.send(request, signal);
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    throw new ExternalDependencyError(`cannot ${purpose.what}: ${errorMessage(error)}`, {
      cause: error,
      retryable: true,
    });
  }
}

/**
 * Sends a request whose answer is short text.
 * @throws ExternalDependencyError as `sendToStore`, and for a status that is not 2xx.
 */
export async function askStore(
  http: HttpClient,
  request: HttpRequest,
  purpose: RequestPurpose,
  signal: AbortSignal,
): Promise<string> {
  const response = await sendToStore(http, request, purpose, signal);
  if (response.status < 200 || response.status > 299) throw await refusal(response, purpose);
  return await readAnswerText(response);
}

/** Statuses of a service that cannot serve now. */
export function isRetryableStatus(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}

/** An error from an answer: status, the service's own code and message, and what to check. Reads the answer. */
export async function refusal(response: HttpResponse, purpose: RequestPurpose): Promise<ExternalDependencyError> {
  const text = await readAnswerText(response);
  const detail = describeAnswer(headerOf(response, 'content-type'), text, headerOf(response, 'x-ms-error-code'));
  const hint = purpose.hints?.[response.status];
  return new ExternalDependencyError(
    `cannot ${purpose.what}: ${statusLine(response)}${detail === '' ? '' : ` (${detail})`}${hint === undefined ? '' : `; ${hint}`}`,
    { retryable: isRetryableStatus(response.status) },
  );
}

function describeAnswer(contentType: string, text: string, code: string): string {
  const xml = parseXmlError(contentType, text);
  if (xml !== undefined) return [xml.code, firstLine(xml.message)].filter((part) => part !== '').join(': ');
  const json = parseJsonError(text);
  return json === '' ? code : json;
}

/** Google, OAuth servers and metadata services each have their own form. */
function parseJsonError(text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return '';
  }
  const { error, error_description: description, message } = Object(value) as Record<string, unknown>;
  if (typeof description === 'string') return firstLine(description);
  if (typeof error === 'string') return firstLine(error);
  const inner = (Object(error) as Record<string, unknown>)['message'] ?? message;
  return typeof inner === 'string' ? firstLine(inner) : '';
}

function firstLine(text: string): string {
  return text.split(/[\r\n]/, 1)[0] ?? '';
}
