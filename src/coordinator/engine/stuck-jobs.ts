import { isWithRunner } from '../state/records.ts';
import type { CoordinatorCore } from './core.ts';

/**
 * Fails running jobs whose runner has been silent for too long.
 * @param since nobody could call before this time: the start of the coordinator (milliseconds since the epoch)
 */
export function dropStuckJobs(core: CoordinatorCore, since: number): void {
  const at = core.now();
  for (const job of core.jobs.all()) {
    if (!isWithRunner(job) || job.handOut === null || job.status === 'pending') continue;
    const lastSign = Math.max(since, job.handOut.lastCallAt ?? job.handOut.at);
    if (at - lastSign <= core.options.stuckTimeoutMs) continue;
    core.conductor.change(job.id, { type: 'drop', at, reason: 'stuck_or_timeout_failure' });
  }
}
