import type { ApiClient } from '../gitlab/api-client.ts';
import type { JobCredentials } from '../gitlab/job-updates.ts';
import type { RunnerInfo } from '../gitlab/runner-info.ts';
import type { TraceDestination } from '../trace/port.ts';

/** Where the trace and the updates of one job go. */
export interface CoordinatorDestination extends TraceDestination {
  /** From now on every piece of trace says that it may show secrets (`debug_trace=true`). */
  markDebugTrace(): void;
}

/**
 * A job's destination over the Runner API. Calls go through the runner's client, also for jobs taken up again after a
 * restart.
 */
export function coordinatorDestination(
  client: Pick<ApiClient, 'patchTrace' | 'updateJob'>,
  job: JobCredentials,
  info: RunnerInfo,
): CoordinatorDestination {
  let debugTrace = false;
  return {
    markDebugTrace: () => {
      debugTrace = true;
    },
    patch: async (bytes, startOffset, signal) => {
      const { state, serverSize, ...signals } = await client.patchTrace(
        job,
        { bytes, startOffset, debugTrace },
        signal,
      );
      return state === 'range_mismatch' ? { state, serverSize, ...signals } : { state, ...signals };
    },
    update: (update, signal) => client.updateJob(job, { info, ...update }, signal),
  };
}
