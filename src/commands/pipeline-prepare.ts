import { join } from 'node:path';
import type { PipelineSubmission } from '../coordinator/submission.ts';
import { compilePipeline } from '../pipeline/compile.ts';
import { problemLine } from '../pipeline/problems.ts';
import { chooseJobs, playedInVain } from '../pipeline/run/choose-jobs.ts';
import { describeSources } from '../pipeline/sources/describe-sources.ts';
import { factsOfSnapshot } from '../pipeline/sources/read-git-facts.ts';
import { type RepositorySnapshot, takeFolderSnapshot, takeSnapshot } from '../pipeline/sources/snapshot.ts';
import type { CommandEnvironment } from './command-environment.ts';
import type { Checkout } from './pipeline-checkout.ts';
import type { PipelineTarget, SnapshotSources } from './pipeline-target.ts';

export interface PrepareOptions {
  readonly jobs?: readonly string[];
  readonly needs?: boolean;
  readonly manual?: readonly string[];
  readonly json?: boolean;
}

/** A pipeline that is ready to be submitted. */
export interface PreparedRun {
  readonly submission: PipelineSubmission;
  sendSources(target: PipelineTarget, pipelineId: number, signal: AbortSignal): Promise<void>;
}

/**
 * Takes the snapshot that jobs will check out and compiles the pipeline for it.
 * @returns undefined where the configuration says that there is nothing to run; the reason is printed.
 * @throws PipelineError, CommandError
 */
export async function prepareRun(
  checkout: Checkout,
  sourcesFolder: string,
  options: PrepareOptions,
  environment: CommandEnvironment,
  signal: AbortSignal,
): Promise<PreparedRun | undefined> {
  const snapshot = await takeCheckoutSnapshot(checkout, sourcesFolder, environment, signal);
  const gitFacts = factsOfSnapshot(checkout.facts, snapshot.sha);
  const compiled = await compilePipeline({ ...checkout.compileOptions, gitFacts });
  const say = options.json === true ? environment.stderr : environment.stdout;
  for (const notice of compiled.notices) environment.stderr(`${problemLine(notice)}\n`);
  for (const path of snapshot.leftOut) environment.stderr(`${path} is a repository of its own and left out.\n`);
  if (compiled.submission === undefined) {
    say(`${compiled.notRun ?? 'There is nothing to run.'}\n`);
    return undefined;
  }
  const { manifest, variables } = describeSources(snapshot, compiled.submission.project.path);
  const play = options.manual ?? [];
  const leftOut = new Map(compiled.jobs.filter((job) => !job.included).map((job) => [job.name, job.reason]));
  const chosen = chooseJobs(compiled.submission, {
    only: options.jobs ?? [],
    withNeeds: options.needs ?? false,
    play,
    leftOut,
  });
  for (const name of playedInVain(compiled.submission, play)) {
    environment.stderr(`--manual ${name}: this job runs by itself.\n`);
  }
  say(`${headline(checkout, snapshot)}\n`);
  const sources: SnapshotSources = { snapshot, manifest };
  return {
    submission: { ...withVariables(chosen, variables), wait_for_sources: true },
    sendSources: async (target, pipelineId, sendSignal) => await target.sendSources(pipelineId, sources, sendSignal),
  };
}

async function takeCheckoutSnapshot(
  { facts, repository }: Checkout,
  sourcesFolder: string,
  { env }: CommandEnvironment,
  signal: AbortSignal,
): Promise<RepositorySnapshot> {
  const directory = join(sourcesFolder, 'project.git');
  const { branch, tag, defaultBranch } = facts;
  const refs = Promise.resolve({ branch, tag, defaultBranch });
  if (repository === undefined) return await takeFolderSnapshot(facts.workTree, directory, env, refs, signal);
  return await takeSnapshot(repository, directory, refs, signal);
}

function headline({ facts }: Checkout, { sha }: RepositorySnapshot): string {
  const base = `Pipeline of ${facts.refName} at ${sha.slice(0, 8)}`;
  if (facts.headSha === undefined) return `${base}: the files as they are`;
  return sha === facts.headSha ? base : `${base}: ${facts.headSha.slice(0, 8)} with changes that are not committed`;
}

/** The sources' variables are the weakest: whoever sets one of them knows better. */
function withVariables(
  submission: PipelineSubmission,
  variables: readonly { readonly key: string; readonly value: string }[],
): PipelineSubmission {
  if (variables.length === 0) return submission;
  const added = variables.map(({ key, value }) => ({
    key,
    value,
    public: false,
    file: false,
    masked: false,
    raw: false,
  }));
  const jobs = submission.jobs.map((job) => ({
    ...job,
    variables_below_dotenv: [...added, ...job.variables_below_dotenv],
  }));
  return { ...submission, jobs };
}
