import type { OpenJob } from './open-job.ts';

/**
 * Tells the coordinator that we run the job: the second half of the two-phase commit (spec protocol.md §5.1).
 * Any answer but a refusal lets the job run.
 */
export async function acknowledge(job: OpenJob): Promise<'run' | 'canceled' | 'refused'> {
  const answer = await job.destination.update({ state: 'running' }, job.interrupt);
  job.open.sender.takeInterval(answer.updateIntervalMs);
  if (answer.state === 'aborted') return 'refused';
  if (answer.cancelRequested) return 'canceled';
  job.journal.append({ type: 'acknowledged' });
  return 'run';
}
