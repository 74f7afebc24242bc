import type { UpdateOutcome } from '../trace/port.ts';
import type { OpenJob } from './open-job.ts';

/**
 * Tells the coordinator that we run the job: the second half of the two-phase commit (spec protocol.md §5.1).
 * Any answer but a refusal lets the job run, none too; an interrupted job finds out itself.
 */
export async function acknowledge(job: OpenJob): Promise<'run' | 'canceled' | 'refused'> {
  let answer: UpdateOutcome;
  try {
    answer = await job.destination.update({ state: 'running' }, job.interrupt);
  } catch (error) {
    if (job.interrupt.aborted) return 'run';
    throw error;
  }
  job.open.sender.takeInterval(answer.updateIntervalMs);
  if (answer.state === 'aborted') return 'refused';
  if (answer.cancelRequested) return 'canceled';
  // Else the coordinator could take it that nobody runs the job, and hand it out again.
  if (answer.state === 'failed') job.open.sender.speakSoon();
  job.journal.append({ type: 'acknowledged' });
  return 'run';
}
