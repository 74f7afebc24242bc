/**
 * Why something was stopped: the only values ever passed to `AbortController.abort`.
 * The first reason given to a signal is the one that counts.
 */
export type AbortReasonKind =
  /** Stop the script; after_script and later build stages still run. */
  | 'canceled'
  /** Stop now; only clean up. */
  | 'aborted'
  /** The job's time is over. */
  | 'job_timeout'
  /** The time of one phase (prepare, get_sources, script, after_script) is over. */
  | 'stage_timeout'
  /** The runner manager was told to stop forcefully. */
  | 'interrupted'
  /** The operation's owner no longer needs it. */
  | 'finished';

export class AbortReason extends Error {
  readonly kind: AbortReasonKind;

  constructor(kind: AbortReasonKind, message: string = kind) {
    super(message);
    this.name = 'AbortReason';
    this.kind = kind;
  }
}

/** The typed reason of an aborted signal; a foreign reason counts as `aborted`. */
export function abortReasonOf(signal: AbortSignal): AbortReason {
  const reason: unknown = signal.reason;
  if (reason instanceof AbortReason) return reason;
  return new AbortReason('aborted', reason instanceof Error ? reason.message : 'aborted');
}

/** A promise that rejects with the signal's reason as soon as it is aborted, and a way to stop listening. */
export function onceAborted(signal: AbortSignal): { readonly promise: Promise<never>; readonly dispose: () => void } {
  let dispose = (): void => {};
  const promise = new Promise<never>((_resolve, reject) => {
    if (signal.aborted) {
      reject(abortReasonOf(signal));
      return;
    }
    const listener = (): void => reject(abortReasonOf(signal));
    signal.addEventListener('abort', listener, { once: true });
    dispose = (): void => signal.removeEventListener('abort', listener);
  });
  promise.catch(() => {});
  return { promise, dispose };
}
