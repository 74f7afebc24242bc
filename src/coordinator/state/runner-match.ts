import type { RunnerRecord } from './records.ts';

/** Whether a runner may take a job with these tags (spec protocol.md §13; GitLab's matching). */
export function canRun(runner: RunnerRecord, jobTags: readonly string[]): boolean {
  if (runner.isPaused) return false;
  if (jobTags.length === 0) return runner.runUntagged;
  return jobTags.every((tag) => runner.tags.includes(tag));
}
