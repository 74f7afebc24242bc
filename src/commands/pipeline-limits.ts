import type { PipelineSubmission, SubmittedJob } from '../coordinator/submission.ts';
import type { RunnerView } from '../pipeline/run/coordinator-client.ts';

/** A submission as it is carried out, and what of it the user should know. */
export interface FittedSubmission {
  readonly submission: PipelineSubmission;
  readonly notices: readonly string[];
}

/** For the shell of this machine: it takes jobs whatever their tags are, and has no containers. */
export function fitToThisMachine(submission: PipelineSubmission): FittedSubmission {
  const jobs = jobsThatRun(submission);
  const tags = [...new Set(jobs.flatMap((job) => job.tags))];
  const withImage = jobs.filter((job) => job.image !== null || job.services.length > 0);
  const notices = [
    ...when(tags.length > 0, `Jobs run on this machine whatever their tags are (${tags.join(', ')}).`),
    ...when(
      withImage.length > 0,
      `Jobs run in the shell of this machine; image and services have no effect: ${namesOf(withImage)}.`,
    ),
  ];
  return { submission: { ...submission, jobs: submission.jobs.map((job) => ({ ...job, tags: [] })) }, notices };
}

/** For a coordinator: jobs that no runner of it takes. */
export function noticesOfUnserved(submission: PipelineSubmission, runners: readonly RunnerView[]): readonly string[] {
  const active = runners.filter((runner) => !runner.paused);
  const unserved = jobsThatRun(submission).filter((job) => !active.some((runner) => takes(runner, job.tags)));
  const byTags = Map.groupBy(unserved, (job) => job.tags.join(', '));
  return [...byTags].map(([tags, jobs]) => {
    const wanted = tags === '' ? 'takes jobs without tags' : `has the tags ${tags}`;
    return `No runner of the coordinator ${wanted}; until one is connected, these jobs wait: ${namesOf(jobs)}.`;
  });
}

function takes(runner: RunnerView, tags: readonly string[]): boolean {
  if (tags.length === 0) return runner.run_untagged;
  return tags.every((tag) => runner.tags.includes(tag));
}

function jobsThatRun({ jobs, only_jobs: only, run_needs: withNeeds }: PipelineSubmission): readonly SubmittedJob[] {
  return only.length === 0 || withNeeds ? jobs : jobs.filter((job) => only.includes(job.name));
}

const mostNames = 5;

function namesOf(jobs: readonly SubmittedJob[]): string {
  const names = jobs.slice(0, mostNames).map((job) => job.name);
  const more = jobs.length - names.length;
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
}

function when(isSo: boolean, notice: string): readonly string[] {
  return isSo ? [notice] : [];
}
