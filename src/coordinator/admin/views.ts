import type { CoordinatorCore } from '../engine/core.ts';
import type { LivePipeline } from '../engine/live-pipeline.ts';
import type { JobRecord, RunnerRecord } from '../state/records.ts';

/** A job as the administration API shows it; no tokens. */
export function jobView(core: CoordinatorCore, job: JobRecord) {
  return {
    id: job.id,
    pipeline_id: job.pipelineId,
    name: job.name,
    stage: job.stage,
    attempt: job.attempt,
    is_retried: job.isRetried,
    status: job.status,
    tags: job.tags,
    allow_failure: job.allowFailure,
    failure_reason: job.failureReason,
    exit_code: job.exitCode,
    coverage: job.coverage,
    runner_id: job.handOut?.runnerId ?? null,
    system_id: job.handOut?.systemId ?? null,
    trace_bytes: core.traces.knownSize(job.id) ?? null,
    trace_report:
      job.traceReport === null
        ? null
        : {
            checksum: job.traceReport.checksum,
            bytesize: job.traceReport.byteSize,
            is_equal: job.traceReport.isEqual,
          },
    artifacts: job.artifacts.map((artifact) => ({
      type: artifact.type,
      format: artifact.format,
      filename: artifact.filename,
      size_bytes: artifact.sizeBytes,
      sha256: artifact.sha256,
      expire_in: artifact.expireIn,
    })),
    times: {
      created_at: isoTime(job.createdAt),
      pending_at: isoTime(job.pendingAt),
      handed_out_at: isoTime(job.handOut?.at ?? null),
      acknowledged_at: isoTime(job.handOut?.acknowledgedAt ?? null),
      started_at: isoTime(job.startedAt),
      first_trace_at: isoTime(job.firstTraceAt),
      final_update_at: isoTime(job.finalUpdateAt),
      finished_at: isoTime(job.finishedAt),
      scheduled_for: isoTime(job.scheduledFor),
    },
  };
}

/** A pipeline without its jobs. */
export function pipelineSummary(core: CoordinatorCore, pipeline: LivePipeline) {
  const { submission, record } = pipeline;
  return {
    id: record.id,
    iid: record.iid,
    name: submission.name,
    project: submission.project,
    ref: submission.git.ref,
    sha: submission.git.sha,
    status: pipeline.status,
    is_blocked: pipeline.isBlocked,
    is_ready: record.isReady,
    created_at: isoTime(record.createdAt),
    finished_at: isoTime(record.finishedAt),
    url: `${core.baseUrl()}/${submission.project.path}/-/pipelines/${record.id}`,
  };
}

/** A pipeline with every attempt of its jobs. */
export function pipelineView(core: CoordinatorCore, pipeline: LivePipeline) {
  return {
    ...pipelineSummary(core, pipeline),
    stages: pipeline.submission.stages,
    jobs: pipeline.attempts().map((job) => ({
      ...jobView(core, job),
      needs: pipeline.definition(job.name)?.needs?.map((need) => need.job) ?? null,
      when: pipeline.definition(job.name)?.when ?? 'on_success',
      environment: pipeline.definition(job.name)?.environment ?? null,
    })),
  };
}

export function runnerView(runner: RunnerRecord) {
  return {
    id: runner.id,
    description: runner.description,
    maintenance_note: runner.maintenanceNote,
    tags: runner.tags,
    run_untagged: runner.runUntagged,
    paused: runner.isPaused,
    maximum_timeout: runner.maximumTimeoutSeconds,
    created_at: isoTime(runner.createdAt),
    token_expires_at: isoTime(runner.tokenExpiresAt),
    managers: runner.managers.map((manager) => ({
      system_id: manager.systemId,
      name: manager.name,
      version: manager.version,
      platform: manager.platform,
      architecture: manager.architecture,
      executor: manager.executor,
      features: manager.features,
      contacted_at: isoTime(manager.contactedAt),
    })),
  };
}

function isoTime(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
