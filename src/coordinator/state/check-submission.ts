import type { PipelineSubmission } from '../submission.ts';
import { selectJobs } from './select-jobs.ts';

/** What makes a submission unusable, in words for who wrote it; empty = fine. */
export function checkSubmission(submission: PipelineSubmission): readonly string[] {
  const names = new Set<string>();
  const problems: string[] = [];
  for (const job of submission.jobs) {
    if (names.has(job.name)) problems.push(`job "${job.name}" is there twice`);
    names.add(job.name);
    if (!submission.stages.includes(job.stage))
      problems.push(`job "${job.name}": stage "${job.stage}" is not in stages`);
  }
  for (const job of submission.jobs) {
    for (const need of job.needs ?? []) {
      if (!names.has(need.job)) problems.push(`job "${job.name}" needs "${need.job}", which is not there`);
    }
    for (const name of job.dependencies ?? []) {
      if (!names.has(name)) problems.push(`job "${job.name}" depends on "${name}", which is not there`);
    }
  }
  const selection = selectJobs(submission);
  for (const name of selection.unknownNames) problems.push(`there is no job "${name}" to run or play`);
  if (selection.jobs.length === 0) problems.push('no job is left to run');
  if (problems.length === 0 && hasCycle(submission)) problems.push('the needs of the jobs form a circle');
  return problems;
}

function hasCycle(submission: PipelineSubmission): boolean {
  const stages = new Map(submission.stages.map((stage, index) => [stage, index]));
  const stageOf = new Map(submission.jobs.map((job) => [job.name, stages.get(job.stage) ?? 0]));
  const waiting = new Map(submission.jobs.map((job) => [job.name, job]));
  for (let isMoving = true; isMoving; ) {
    isMoving = false;
    const earliest = Math.min(...[...waiting.keys()].map((name) => stageOf.get(name) ?? 0));
    for (const [name, job] of waiting) {
      const isFree =
        job.needs === null ? (stageOf.get(name) ?? 0) <= earliest : job.needs.every((need) => !waiting.has(need.job));
      if (!isFree) continue;
      waiting.delete(name);
      isMoving = true;
    }
  }
  return waiting.size > 0;
}
