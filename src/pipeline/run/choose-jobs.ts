import type { PipelineSubmission } from '../../coordinator/submission.ts';
import { CommandError } from '../../lib/errors.ts';

export interface JobChoice {
  /** Names of jobs, or of groups of parallel ones; empty = the whole pipeline. */
  readonly only: readonly string[];
  readonly withNeeds: boolean;
  /** Manual jobs to play; where `only` names jobs, these run too. */
  readonly play: readonly string[];
  /** Jobs that the rules leave out, with the reason. */
  readonly leftOut?: ReadonlyMap<string, string>;
}

/** What GitLab takes off a name to get that of its group: `test 1/3`, `test: [linux, arm]`. */
const groupTail = /([\b\s:]+((\[.*\])|(\d+[\s:/\\]+\d+))){1,3}\s*$/;

/**
 * Narrows a submission to the jobs that the user asked for. A manual job that was named is played too.
 * @throws CommandError that lists what there is when a name fits nothing.
 */
export function chooseJobs(submission: PipelineSubmission, choice: JobChoice): PipelineSubmission {
  if (choice.withNeeds && choice.only.length === 0) {
    throw new CommandError('--needs goes with names of jobs', {
      exitCode: 2,
      hint: 'Without names the whole pipeline runs, needs included.',
    });
  }
  const names = submission.jobs.map((job) => job.name);
  const namedToPlay = choice.play.flatMap((name) => matching(names, name, choice));
  const only = choice.only.flatMap((name) => matching(names, name, choice));
  const manual = new Set(submission.jobs.filter((job) => job.when === 'manual').map((job) => job.name));
  return {
    ...submission,
    only_jobs: only.length === 0 ? [] : [...new Set([...only, ...namedToPlay])],
    run_needs: choice.withNeeds,
    play: [...new Set([...namedToPlay, ...only])].filter((name) => manual.has(name)),
  };
}

/** Names given to `--manual` that are those of jobs which run by themselves. */
export function playedInVain(submission: PipelineSubmission, play: readonly string[]): readonly string[] {
  const isManual = (wanted: string): boolean =>
    submission.jobs.some((job) => isNamed(job.name, wanted) && job.when === 'manual');
  return play.filter((wanted) => !isManual(wanted));
}

function matching(names: readonly string[], wanted: string, { leftOut }: JobChoice): readonly string[] {
  if (names.includes(wanted)) return [wanted];
  const group = names.filter((name) => isNamed(name, wanted));
  if (group.length > 0) return group;
  const [left] = [...(leftOut ?? [])].filter(([name]) => isNamed(name, wanted));
  if (left !== undefined) {
    throw new CommandError(`the job "${wanted}" is left out of this pipeline: ${left[1]}`, {
      exitCode: 2,
      hint: '"millrace pipeline list --all" shows all jobs; --branch, --tag, --source and --variable change what rules see.',
    });
  }
  throw new CommandError(`there is no job "${wanted}" in this pipeline`, {
    exitCode: 2,
    hint: `Its jobs: ${names.join(', ')}`,
  });
}

function isNamed(name: string, wanted: string): boolean {
  return name === wanted || name.replace(groupTail, '') === wanted;
}
