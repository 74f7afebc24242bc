import { AbortReason, abortReasonOf, onceAborted } from '../../../lib/abort.ts';
import type { Clock } from '../../../lib/clock.ts';
import { ExternalDependencyError } from '../../../lib/errors.ts';
import type { ProgressLine } from '../api/answers.ts';
import type { DockerClient, PullRequest } from '../api/docker-client.ts';
import { PullProgress } from './pull-progress.ts';

/**
 * Pulls of one daemon, shared by all its jobs: several that want the same image at the same time wait for one pull,
 * which ends when nobody waits any more.
 */
export interface SharedPulls {
  /**
   * @param options `mayJoinLate`: a pull counts whose manifest is already fetched (the caller does not insist on what
   * the registry says right now). `onProgress` gets a line about it now and then.
   * @throws DaemonError; ExternalDependencyError when nothing moves for too long; the signal's reason.
   */
  pull(
    client: DockerClient,
    request: PullRequest,
    options: { readonly mayJoinLate: boolean; readonly onProgress?: (text: string) => void },
    signal: AbortSignal,
  ): Promise<void>;
}

export interface SharedPullOptions {
  readonly clock: Clock;
  /** A pull that moves nothing for this long has failed. Default 5 minutes. */
  readonly stallMs?: number;
  /** Time between two lines about a pull. Default 30 seconds. */
  readonly progressMs?: number;
}

const STALL_MS = 300_000;
const PROGRESS_MS = 30_000;

interface RunningPull {
  readonly done: Promise<void>;
  readonly progress: PullProgress;
  readonly stop: AbortController;
  waiters: number;
}

export function createSharedPulls(options: SharedPullOptions): SharedPulls {
  const running = new Map<string, RunningPull>();
  const stallMs = options.stallMs ?? STALL_MS;

  function start(key: string, client: DockerClient, request: PullRequest): RunningPull {
    const stop = new AbortController();
    const progress = new PullProgress();
    const done = pullWatched(client, request, progress, { clock: options.clock, stallMs, stop });
    const pull: RunningPull = { done, progress, stop, waiters: 0 };
    running.set(key, pull);
    const forget = (): void => {
      if (running.get(key) === pull) running.delete(key);
    };
    done.then(forget, forget);
    return pull;
  }

  return {
    pull: async (client, request, { mayJoinLate, onProgress }, signal) => {
      if (signal.aborted) throw abortReasonOf(signal);
      const key = JSON.stringify([client.address, request]);
      const known = running.get(key);
      const isJoinable =
        known !== undefined &&
        !known.stop.signal.aborted &&
        (mayJoinLate || !known.progress.isResolved || isFixed(request));
      const pull = isJoinable ? known : start(key, client, request);
      await wait(pull, options, onProgress, signal);
    },
  };
}

/** A digest names the same content for ever. */
function isFixed(request: PullRequest): boolean {
  return request.tag.includes(':');
}

async function wait(
  pull: RunningPull,
  options: SharedPullOptions,
  onProgress: ((text: string) => void) | undefined,
  signal: AbortSignal,
): Promise<void> {
  pull.waiters += 1;
  const aborted = onceAborted(signal);
  const reports = new AbortController();
  try {
    if (onProgress !== undefined) void report(pull, options, onProgress, reports.signal).catch(() => {});
    await Promise.race([pull.done, aborted.promise]);
  } finally {
    aborted.dispose();
    reports.abort(new AbortReason('finished'));
    pull.waiters -= 1;
    if (pull.waiters === 0) pull.stop.abort(new AbortReason('finished', 'nobody waits for the image any more'));
  }
}

async function report(
  pull: RunningPull,
  options: SharedPullOptions,
  onProgress: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await options.clock.sleep(options.progressMs ?? PROGRESS_MS, signal);
    onProgress(pull.progress.describe());
  }
}

/** One pull at the daemon; fails when no line comes for too long. */
async function pullWatched(
  client: DockerClient,
  request: PullRequest,
  progress: PullProgress,
  parts: { readonly clock: Clock; readonly stallMs: number; readonly stop: AbortController },
): Promise<void> {
  const watch = new AbortController();
  let isStalled = false;
  const onLine = (line: ProgressLine): void => progress.take(line, parts.clock.now());
  progress.start(parts.clock.now());
  const guard = async (): Promise<void> => {
    for (;;) {
      const restMs = progress.movedAt + parts.stallMs - parts.clock.now();
      if (restMs <= 0) break;
      await parts.clock.sleep(restMs, watch.signal);
    }
    isStalled = true;
    parts.stop.abort(new AbortReason('finished', 'the pull does not move'));
  };
  void guard().catch(() => {});
  try {
    await client.pullImage(request, onLine, parts.stop.signal);
  } catch (error) {
    if (!isStalled) throw error;
    throw new ExternalDependencyError(`i/o timeout: the pull did not move for ${parts.stallMs / 1000}s`, {
      cause: error,
      retryable: true,
    });
  } finally {
    watch.abort(new AbortReason('finished'));
  }
}
