import type { Clock } from '../../lib/clock.ts';
import { errorMessage, MillraceError } from '../../lib/errors.ts';
import type { LogFields, Logger } from '../../observability/logger.ts';

export interface RetryPolicy {
  /** How often an action is tried in all, given its latest error. */
  readonly tries: (error: unknown) => number;
  /** Wait before try number n (2, 3, …). */
  readonly delayMs: (nextTry: number) => number;
  /** Added to the line about a retry. */
  readonly fields?: LogFields;
}

/**
 * Repeats an action that fails with a retryable error; each repetition is announced.
 * @param action gets the number of the try, from 0.
 * @throws the last error; the signal's reason.
 */
export async function withRetries<T>(
  action: (attempt: number) => Promise<T>,
  policy: RetryPolicy,
  ports: { readonly log: Logger; readonly clock: Clock },
  signal: AbortSignal,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await action(attempt);
    } catch (error) {
      signal.throwIfAborted();
      const isRetryable = error instanceof MillraceError && error.retryable;
      if (!isRetryable || attempt + 1 >= policy.tries(error)) throw error;
      ports.log.warn('Retrying...', { ...policy.fields, error: errorMessage(error) });
      await ports.clock.sleep(policy.delayMs(attempt + 2), signal);
    }
  }
}
