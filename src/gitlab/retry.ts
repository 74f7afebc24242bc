import type { Clock } from '../lib/clock.ts';
import { formatGoDuration } from '../lib/go-duration.ts';
import type { Logger } from '../observability/logger.ts';
import type { HttpClient, HttpRequest, HttpResponse } from '../platform/http-client.ts';

const ATTEMPTS = 5;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 60_000;
const RETRIED = new Set([408, 429, 500, 502, 503, 504]);

export interface RetryOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
  /** A longer wait that the server asks for is left to the caller; default: every wait is waited. */
  readonly longestWaitMs?: number;
}

export interface RetriedAnswer {
  readonly response: HttpResponse;
  /** A status that asks to slow down was seen, even if a later attempt went well. */
  readonly pushedBack: boolean;
  /** The server asked for this wait, and it was longer than `longestWaitMs`. */
  readonly retryAfterMs: number | undefined;
}

/**
 * Repeats a request while the server answers that it cannot serve it now (spec protocol.md §1.5): five attempts, the
 * last answer is returned as it is. Failures of the transport are not repeated here.
 */
export async function sendWithRetry(
  http: HttpClient,
  request: HttpRequest,
  options: RetryOptions,
  signal: AbortSignal,
): Promise<RetriedAnswer> {
  let pushedBack = false;
  for (let attempt = 1; ; attempt += 1) {
    const response = await http.send(request, signal);
    if (!isRetried(response.status)) return { response, pushedBack, retryAfterMs: undefined };
    pushedBack = true;
    if (attempt === ATTEMPTS) return { response, pushedBack, retryAfterMs: undefined };
    const askedMs = serverDelayMs(response, options);
    if (askedMs !== undefined && askedMs > (options.longestWaitMs ?? Number.POSITIVE_INFINITY)) {
      return { response, pushedBack, retryAfterMs: askedMs };
    }
    response.discard();
    const delayMs = askedMs ?? backOffMs(attempt, options.random);
    options.logger.info('Waiting before making the next call', {
      duration: formatGoDuration(Math.round(delayMs)),
      method: request.method,
      url: `${request.url.origin}${request.url.pathname}`,
    });
    await options.clock.sleep(delayMs, signal);
  }
}

function isRetried(status: number): boolean {
  return RETRIED.has(status) || status >= 512;
}

function serverDelayMs(response: HttpResponse, { clock, logger }: RetryOptions): number | undefined {
  const reset = headerText(response, 'ratelimit-resettime');
  if (reset !== '') {
    const at = Date.parse(reset);
    if (Number.isNaN(at)) logger.warn("Couldn't parse rate limit header");
    else if (at > clock.now()) return at - clock.now();
  }
  const after = headerText(response, 'retry-after');
  if (after === '') return undefined;
  const delayMs = /^\d+$/.test(after) ? Number(after) * 1000 : Date.parse(after) - clock.now();
  if (Number.isNaN(delayMs)) logger.warn("Couldn't parse retry after header");
  return delayMs > 0 ? delayMs : undefined;
}

/** Between 100 ms and 100 ms × 2ⁿ. */
function backOffMs(attempt: number, random: () => number): number {
  const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1));
  return FIRST_DELAY_MS + random() * (ceiling - FIRST_DELAY_MS);
}

function headerText(response: HttpResponse, name: string): string {
  const value = response.headers[name];
  return typeof value === 'string' ? value : '';
}
