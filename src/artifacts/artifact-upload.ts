import type { Readable } from 'node:stream';
import { AbortReason } from '../lib/abort.ts';
import { ApiError, errorMessage } from '../lib/errors.ts';
import { shortToken } from '../lib/short-token.ts';
import type { LogFields, Logger } from '../observability/logger.ts';
import { headerOf, readAnswerText, statusLine } from '../platform/http-answer.ts';
import type { HttpRequest, HttpResponse } from '../platform/http-client.ts';
import { randomHex } from '../platform/random.ts';
import type { JobCredentials, TransferHttp } from './http-port.ts';
import { type FileForm, fileForm } from './multipart.ts';

export interface ArtifactUpload {
  readonly credentials: JobCredentials;
  /** Base name with extension. */
  readonly fileName: string;
  readonly format: string;
  readonly type: string;
  readonly expireIn: string;
  /** The archive's bytes; called for each time they are sent. */
  readonly content: () => AsyncIterable<Buffer>;
  readonly timeoutMs: number;
  readonly headerTimeoutMs: number;
  /** Logs the answer's headers and the start of its body. */
  readonly logsAnswer: boolean;
}

export interface UploadOutcome {
  readonly state: 'succeeded' | 'forbidden' | 'too_large' | 'unavailable' | 'failed';
  /** Why there was no answer. */
  readonly error?: unknown;
}

const mostHops = 10;

/** One try of an upload (spec cache-artifacts.md §4.2, §4.3). @throws only the signal's reason. */
export async function uploadArtifacts(
  upload: ArtifactUpload,
  http: TransferHttp,
  log: Logger,
  signal: AbortSignal,
): Promise<UploadOutcome> {
  const requestId = randomHex(16);
  const { jobId, token } = upload.credentials;
  const fields: LogFields = { id: jobId, token: shortToken(token), correlation_id: requestId };
  const prefix = messagePrefix(upload.type);
  const exchange = new UploadExchange(upload, requestId, http, signal);
  try {
    const { response, body } = await exchange.run();
    const answered = { ...fields, correlation_id: headerOf(response, 'x-request-id') || requestId };
    if (upload.logsAnswer) logAnswer(response, body, log.child(answered));
    const text = http.describe({
      method: 'POST',
      url: response.url,
      status: response.status,
      contentType: headerOf(response, 'content-type'),
      body,
    });
    return judge(response, `${prefix} ${text}`, log.child({ ...answered, status: statusLine(response) }));
  } catch (error) {
    if (signal.aborted || error instanceof AbortReason) throw error;
    log.child(fields).error(`${prefix} error`, { error: failureText(error) });
    return { state: 'failed', error };
  } finally {
    exchange.dispose();
  }
}

function messagePrefix(type: string): string {
  const what = type === '' ? 'artifacts' : `artifacts as ${JSON.stringify(type)}`;
  return `Uploading ${what} to coordinator...`;
}

/** Follows redirects itself: the job's token goes along to where the coordinator sends us (another of its sites). */
class UploadExchange {
  readonly #upload: ArtifactUpload;
  readonly #requestId: string;
  readonly #http: TransferHttp;
  readonly #signal: AbortSignal;
  readonly #form: FileForm;
  #body: Readable | undefined;

  constructor(upload: ArtifactUpload, requestId: string, http: TransferHttp, signal: AbortSignal) {
    this.#upload = upload;
    this.#requestId = requestId;
    this.#http = http;
    this.#signal = signal;
    this.#form = fileForm(upload.fileName, upload.content);
  }

  async run(): Promise<{ readonly response: HttpResponse; readonly body: string }> {
    let url = uploadUrl(this.#upload);
    for (let hops = 0; ; hops += 1) {
      const response = await this.#http.send(this.#request(url), this.#signal);
      const body = await readAnswerText(response);
      this.dispose();
      const next = redirectTarget(response);
      if (next === undefined) return { response, body };
      if (hops === mostHops) throw new ApiError('unreachable', `stopped after ${mostHops} redirects`);
      url = next;
    }
  }

  /** Stops making the archive: the answer may have come before its end. Idempotent. */
  dispose(): void {
    this.#body?.on('error', () => {});
    this.#body?.destroy();
    this.#body = undefined;
  }

  #request(url: URL): HttpRequest {
    const { credentials, timeoutMs, headerTimeoutMs } = this.#upload;
    return {
      method: 'POST',
      url,
      headers: {
        'User-Agent': credentials.userAgent,
        'X-Request-Id': this.#requestId,
        'JOB-TOKEN': credentials.token,
        'Content-Type': this.#form.contentType,
      },
      body: () => {
        this.dispose();
        this.#body = this.#form.open();
        return this.#body;
      },
      redirect: 'manual',
      timeoutMs,
      headerTimeoutMs,
    };
  }
}

function uploadUrl({ credentials, format, type, expireIn }: ArtifactUpload): URL {
  const url = new URL(`jobs/${credentials.jobId}/artifacts`, credentials.apiUrl);
  if (format !== '') url.searchParams.set('artifact_format', format);
  if (type !== '') url.searchParams.set('artifact_type', type);
  if (expireIn !== '') url.searchParams.set('expire_in', expireIn);
  return url;
}

function redirectTarget(response: HttpResponse): URL | undefined {
  const location = headerOf(response, 'location');
  if ((response.status !== 307 && response.status !== 308) || location === '') return undefined;
  const target = URL.parse(location, response.url.href) ?? undefined;
  if (target?.protocol === 'http:' && response.url.protocol === 'https:') {
    throw new ApiError('protocol', `refused to follow a redirect from https to http (${target.origin})`);
  }
  return target;
}

function judge(response: HttpResponse, text: string, log: Logger): UploadOutcome {
  switch (response.status) {
    case 201:
      log.info(text);
      return { state: 'succeeded' };
    case 307:
      log.error(`${text} empty location`);
      return { state: 'failed' };
    case 403:
      log.error(text);
      return { state: 'forbidden' };
    case 413:
      log.error(text);
      return { state: 'too_large' };
    case 503:
      log.error(text);
      return { state: 'unavailable' };
    default:
      log.warn(text);
      return { state: 'failed' };
  }
}

function logAnswer(response: HttpResponse, body: string, log: Logger): void {
  const fields: Record<string, string> = { body: body.length > 512 ? `${body.slice(0, 512)}...` : body };
  for (const [name, value] of Object.entries(response.headers)) {
    const canonical = name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
    fields[`header[${canonical}]`] = `[${[value].flat().join(' ')}]`;
  }
  log.warn('received response', fields);
}

/** What broke the body says more than that the request broke. */
function failureText(error: unknown): string {
  if (error instanceof ApiError && error.cause instanceof Error && error.message.startsWith('send the request')) {
    return `failed to copy content to form: ${errorMessage(error.cause)}`;
  }
  return errorMessage(error);
}
