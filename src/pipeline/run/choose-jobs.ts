import type { PipelineSubmission } from '../../coordinator/submission.ts';
import { CommandError } from '../../lib/errors.ts';

export interface JobChoice {
  /** Names of jobs, or of groups of parallel ones; empty = the whole pipeline. */
  readonly only: readonly string[];
  readonly withNeeds: boolean;
  /** Manual jobs to play. */
  readonly play: readonly string[];
}

/** What GitLab takes off a name to get that of its group: `test 1/3`, `test: [linux, arm]`. */
const groupTail = /([\b\s:]+((\[.*\])|(\d+[\s:/\\]+\d+))){1,3}\s*$/;

/**
 * Narrows a submission to the jobs that the user asked for. A manual job that was named is played too.
 * @throws CommandError that lists what there is when a name fits nothing.
 */
export function chooseJobs(submission: PipelineSubmission, choice: JobChoice): PipelineSubmission {
  const names = submission.jobs.map((job) => job.name);
  const only = choice.only.flatMap((name) => matching(names, name));
  const manual = new Set(submission.jobs.filter((job) => job.when === 'manual').map((job) => job.name));
  const played = [...choice.play.flatMap((name) => matching(names, name)), ...only.filter((name) => manual.has(name))];
  return {
    ...submission,
    only_jobs: [...new Set(only)],
    run_needs: choice.withNeeds,
    play: [...new Set(played)].filter((name) => manual.has(name)),
  };
}

function matching(names: readonly string[], wanted: string): readonly string[] {
  if (names.includes(wanted)) return [wanted];
  const group = names.filter((name) => name.replace(groupTail, '') === wanted);
  if (group.length > 0) return group;
  throw new CommandError(`there is no job "${wanted}" in this pipeline`, {
    exitCode: 2,
    hint: `Its jobs: ${names.join(', ')}`,
  });
}
