import type { PipelineSubmission, SubmittedJob } from '../submission.ts';

/**
 * The jobs of a submission that take part: all of them, or `only_jobs` and, where asked, what they wait for.
 * What a kept job needs but was left out is struck from its needs.
 * @returns also the names in `only_jobs` and `play` that no job has.
 */
export function selectJobs(submission: PipelineSubmission): {
  readonly jobs: readonly SubmittedJob[];
  readonly unknownNames: readonly string[];
} {
  const byName = new Map(submission.jobs.map((job) => [job.name, job]));
  const unknownNames = [...submission.only_jobs, ...submission.play].filter((name) => !byName.has(name));
  if (submission.only_jobs.length === 0) return { jobs: submission.jobs, unknownNames };
  const kept = new Set(submission.only_jobs);
  if (submission.run_needs) addNeeded(submission, byName, kept);
  const jobs = submission.jobs.filter((job) => kept.has(job.name)).map((job) => withoutMissing(job, kept));
  return { jobs, unknownNames };
}

function addNeeded(submission: PipelineSubmission, byName: ReadonlyMap<string, SubmittedJob>, kept: Set<string>): void {
  const stageOf = new Map(submission.stages.map((stage, index) => [stage, index]));
  // A set yields what is added while it is walked.
  for (const name of kept) {
    const job = byName.get(name);
    if (job === undefined) continue;
    const stage = stageOf.get(job.stage) ?? 0;
    const needed =
      job.needs?.map((need) => need.job) ??
      submission.jobs.filter((other) => (stageOf.get(other.stage) ?? 0) < stage).map((other) => other.name);
    for (const other of needed) kept.add(other);
  }
}

function withoutMissing(job: SubmittedJob, kept: ReadonlySet<string>): SubmittedJob {
  return {
    ...job,
    needs: job.needs?.filter((need) => kept.has(need.job)) ?? null,
    dependencies: job.dependencies?.filter((name) => kept.has(name)) ?? null,
  };
}
