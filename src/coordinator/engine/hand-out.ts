import { errorMessage } from '../../lib/errors.ts';
import type { JsonValue } from '../../lib/json.ts';
import { artifactSources, assemblePayload } from '../payload/assemble.ts';
import { missingFeatures } from '../payload/required-features.ts';
import { defaultRepositoryUrl } from '../sources-mount.ts';
import type { ArtifactRecord, JobRecord, RunnerRecord } from '../state/records.ts';
import type { SubmittedJob } from '../submission.ts';
import type { CoordinatorCore } from './core.ts';
import type { LivePipeline } from './live-pipeline.ts';

export interface HandOutRequest {
  readonly runner: RunnerRecord;
  readonly systemId: string;
  readonly features: Readonly<Record<string, boolean>>;
}

/**
 * Takes the first job this runner can run out of the queue and makes its payload. Jobs that turn out to be impossible
 * fail on the way.
 * @returns undefined when nothing is there for the runner.
 */
export function takeJob(
  core: CoordinatorCore,
  request: HandOutRequest,
): { readonly job: JobRecord; readonly payload: JsonValue } | undefined {
  for (const offered of core.queue.offers(request.runner)) {
    const refusal = refusalReason(core, offered, request.features);
    if (refusal !== undefined) {
      core.conductor.change(offered.id, { type: 'drop', at: core.now(), reason: refusal });
      continue;
    }
    const job = handOut(core, offered, request);
    if (job === undefined) continue;
    try {
      return { job, payload: payloadOf(core, job, request.runner) };
    } catch (error) {
      core.logger.error('a payload could not be made', { job: job.id, error: errorMessage(error) });
      core.conductor.change(job.id, { type: 'drop', at: core.now(), reason: 'data_integrity_failure' });
    }
  }
  return undefined;
}

function handOut(core: CoordinatorCore, job: JobRecord, request: HandOutRequest): JobRecord | undefined {
  return core.conductor.change(job.id, {
    type: 'hand_out',
    handOut: {
      runnerId: request.runner.id,
      systemId: request.systemId,
      at: core.now(),
      isTwoPhase: request.features['two_phase_job_commit'] === true,
      cancelsGracefully: request.features['cancel_gracefully'] === true,
      acknowledgedAt: null,
      lastCallAt: null,
    },
  });
}

function refusalReason(
  core: CoordinatorCore,
  job: JobRecord,
  features: Readonly<Record<string, boolean>>,
): string | undefined {
  const definition = core.pipelines.of(job)?.definition(job.name);
  if (definition === undefined) return undefined;
  return missingFeatures(definition, features).length > 0 ? 'runner_unsupported' : undefined;
}

function payloadOf(core: CoordinatorCore, job: JobRecord, runner: RunnerRecord): JsonValue {
  const pipeline = core.pipelines.of(job);
  const definition = pipeline?.definition(job.name);
  if (pipeline === undefined || definition === undefined) {
    return { ...core.store.loadPayload(job.id), id: job.id, token: job.token };
  }
  return pipelinePayload(core, { pipeline, definition, job, runner });
}

interface PayloadSubject {
  readonly pipeline: LivePipeline;
  readonly definition: SubmittedJob;
  readonly job: JobRecord;
  readonly runner: RunnerRecord;
}

function pipelinePayload(core: CoordinatorCore, subject: PayloadSubject): JsonValue {
  const { pipeline, definition, job, runner } = subject;
  const { submission } = pipeline;
  const sources = artifactSources(definition, pipeline.jobs, submission.stages)
    .map((name) => pipeline.latest(name))
    .filter((source) => source !== undefined);
  const at = job.handOut?.at ?? core.now();
  return assemblePayload({
    submission,
    job: definition,
    facts: handOutFacts(core, subject, at),
    late: { dotenv: sources.flatMap((source) => source.dotenv), played: job.playVariables },
    dependencies: sources.flatMap((source) => {
      const archive = archiveOf(source);
      return archive === undefined ? [] : { id: source.id, name: source.name, token: source.token, archive };
    }),
    maximumTimeoutSeconds: runner.maximumTimeoutSeconds,
    secondsInQueue: Math.max(0, at - (job.pendingAt ?? at)) / 1000,
    runningJobsOfProject: runningJobs(core, submission.project.path) - 1,
  });
}

function handOutFacts(core: CoordinatorCore, { pipeline, job, runner }: PayloadSubject, startedAt: number) {
  const baseUrl = core.baseUrl();
  const projectPath = pipeline.submission.project.path;
  const projectUrl = `${baseUrl}/${projectPath}`;
  return {
    jobId: job.id,
    jobToken: job.token,
    jobUrl: `${projectUrl}/-/jobs/${job.id}`,
    startedAt,
    pipelineId: pipeline.id,
    pipelineIid: pipeline.record.iid,
    pipelineUrl: `${projectUrl}/-/pipelines/${pipeline.id}`,
    repositoryUrl:
      core.sources?.repositoryUrl({ baseUrl, jobToken: job.token, pipelineId: pipeline.id, projectPath }) ??
      defaultRepositoryUrl(baseUrl, projectPath, job.token),
    serverUrl: baseUrl,
    runner: { id: runner.id, description: runner.description, tags: runner.tags },
  };
}

/** The archive a job left, if it did. */
export function archiveOf(job: JobRecord): Pick<ArtifactRecord, 'filename' | 'sizeBytes' | 'storedAs'> | undefined {
  return job.artifacts.find((artifact) => artifact.type === 'archive');
}

function runningJobs(core: CoordinatorCore, projectPath: string): number {
  let count = 0;
  for (const job of core.jobs.all()) {
    if (job.status === 'running' || job.status === 'canceling' || job.handOut !== null) {
      const isOfProject = core.pipelines.of(job)?.submission.project.path === projectPath;
      if (isOfProject && job.finishedAt === null) count += 1;
    }
  }
  return Math.max(1, count);
}
