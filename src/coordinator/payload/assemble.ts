import type { JsonValue } from '../../lib/json.ts';
import type { PipelineSubmission, SubmittedJob } from '../submission.ts';
import { acceptedFailureReasons } from './failure-reasons.ts';
import { refspecsOf } from './refspecs.ts';
import { type HandOutFacts, type LateVariables, payloadVariables } from './variables.ts';

/** A finished job whose archive the new job downloads. */
export interface PayloadDependencyJob {
  readonly id: number;
  readonly name: string;
  readonly token: string;
  readonly archive: { readonly filename: string; readonly sizeBytes: number };
}

export interface PayloadInput {
  readonly submission: Pick<PipelineSubmission, 'project' | 'git'>;
  readonly job: SubmittedJob;
  readonly facts: HandOutFacts;
  readonly late: LateVariables;
  readonly dependencies: readonly PayloadDependencyJob[];
  /** The runner's own limit; 0 = none. */
  readonly maximumTimeoutSeconds: number;
  readonly secondsInQueue: number;
  readonly runningJobsOfProject: number;
}

/** The answer of `POST jobs/request` for a job of a pipeline (spec protocol.md §4, local-pipeline.md §10.5). Pure. */
export function assemblePayload(input: PayloadInput): JsonValue {
  const { job, facts } = input;
  const timeout = jobTimeout(job.timeout_seconds, input.maximumTimeoutSeconds);
  const payload = {
    id: facts.jobId,
    token: facts.jobToken,
    allow_git_fetch: true,
    job_info: jobInfo(input),
    git_info: gitInfo(input),
    runner_info: { timeout, runner_session_url: null },
    variables: payloadVariables(job, facts, input.late),
    steps: job.steps.map((step) => ({ ...step, timeout })),
    image: job.image,
    services: job.services,
    artifacts: job.artifacts,
    cache: job.cache,
    hooks: job.hooks,
    ...(job.secrets === undefined ? {} : { secrets: job.secrets }),
    ...(job.inputs === undefined ? {} : { inputs: job.inputs }),
    // An empty text would make the payload unreadable for some runners.
    ...(job.run === undefined || job.run === '' ? {} : { run: job.run }),
    credentials: [],
    dependencies: input.dependencies.map(dependency),
    features: { trace_sections: true, token_mask_prefixes: [], failure_reasons: acceptedFailureReasons },
  };
  return payload as JsonValue;
}

function jobTimeout(wanted: number, maximum: number): number {
  return maximum > 0 ? Math.min(wanted, maximum) : wanted;
}

function jobInfo(input: PayloadInput): JsonValue {
  const { project } = input.submission;
  return {
    id: input.facts.jobId,
    name: input.job.name,
    stage: input.job.stage,
    pipeline_id: input.facts.pipelineId,
    project_id: project.id,
    project_name: project.name,
    project_full_path: project.path,
    time_in_queue_seconds: input.secondsInQueue,
    project_jobs_running_on_instance_runners_count: String(input.runningJobsOfProject),
  };
}

function gitInfo(input: PayloadInput): JsonValue {
  const { git } = input.submission;
  return {
    repo_url: input.facts.repositoryUrl,
    repo_object_format: git.object_format,
    ref: git.ref,
    sha: git.sha,
    before_sha: git.before_sha,
    ref_type: git.ref_type,
    refspecs: refspecsOf(git, input.facts.pipelineId),
    depth: git.depth,
    protected: git.protected,
  };
}

function dependency(job: PayloadDependencyJob): JsonValue {
  return {
    id: job.id,
    name: job.name,
    token: job.token,
    artifacts_file: { filename: job.archive.filename, size: job.archive.sizeBytes },
  };
}

/**
 * Names of the jobs whose artifacts and dotenv variables a job gets (spec local-pipeline.md §9.5): a job with needs
 * gets those of its needs that say so, another those of all earlier stages; both only as far as `dependencies` lists
 * them.
 */
export function artifactSources(
  job: SubmittedJob,
  jobs: readonly SubmittedJob[],
  stages: readonly string[],
): readonly string[] {
  const stage = stages.indexOf(job.stage);
  const candidates =
    job.needs === null
      ? jobs.filter((other) => stages.indexOf(other.stage) < stage).map((other) => other.name)
      : job.needs.filter((need) => need.artifacts).map((need) => need.job);
  return job.dependencies === null ? candidates : candidates.filter((name) => job.dependencies?.includes(name));
}
