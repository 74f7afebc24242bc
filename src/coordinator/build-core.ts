import { createHmac } from 'node:crypto';
import { Conductor } from './engine/conductor.ts';
import type { CoordinatorCore } from './engine/core.ts';
import { CounterBook } from './engine/counter-book.ts';
import { Deadlines } from './engine/deadlines.ts';
import { JobBook } from './engine/job-book.ts';
import { JobQueue } from './engine/job-queue.ts';
import { PipelineBook } from './engine/pipeline-book.ts';
import { ProtocolNotes } from './engine/protocol-notes.ts';
import { ResourceGroups } from './engine/resource-groups.ts';
import { RunnerRegistry } from './engine/runner-registry.ts';
import { TraceBook } from './engine/trace-book.ts';
import { FaultInjector } from './faults/fault-injector.ts';
import type { CompleteOptions } from './options.ts';
import type { SourcesContext, SourcesFactory, SourcesMount } from './sources-mount.ts';
import { isWithRunner } from './state/records.ts';
import type { CoordinatorStore } from './store/coordinator-store.ts';

export interface BuiltCore {
  readonly core: CoordinatorCore;
  readonly deadlines: Deadlines;
}

/** Loads what is on disk and puts the parts together. Nothing moves before `core.conductor.resume()`. */
export async function buildCore(
  store: CoordinatorStore,
  options: CompleteOptions,
  addresses: Pick<CoordinatorCore, 'baseUrl' | 'downloadOrigin'>,
): Promise<BuiltCore> {
  const { now, logger } = options;
  const stored = await store.load();
  const counters = new CounterBook(store, stored.counters);
  const jobs = new JobBook(store, stored.jobs);
  const runners = new RunnerRegistry(store, counters, stored.runners, options);
  const pipelines = new PipelineBook(store, jobs, counters, stored.pipelines, now);
  const queue = new JobQueue((id) => runners.get(id), now);
  const deadlines = new Deadlines(now);
  const conductor = new Conductor({
    jobs,
    pipelines,
    queue,
    runners,
    resources: new ResourceGroups(),
    deadlines,
    counters,
    acknowledgeTimeoutMs: options.acknowledgeTimeoutMs,
    now,
    logger,
  });
  const parts = {
    options,
    store,
    counters,
    jobs,
    pipelines,
    queue,
    runners,
    conductor,
    traces: new TraceBook(store.folders, options.maxTraceBytes),
    notes: new ProtocolNotes(),
    faults: new FaultInjector(options.faults, options.faultSeed),
    ...addresses,
    downloadKey: (jobId: number) =>
      createHmac('sha256', store.tokens.adminToken).update(`archive ${jobId}`).digest('hex'),
    now,
    logger,
  };
  return { core: { ...parts, sources: await mountSources(options.sources, parts) }, deadlines };
}

async function mountSources(
  factory: SourcesFactory | undefined,
  core: Pick<CoordinatorCore, 'store' | 'jobs' | 'pipelines' | 'conductor'>,
): Promise<SourcesMount | undefined> {
  if (factory === undefined) return undefined;
  const context: SourcesContext = {
    dataDir: core.store.folders.sources,
    jobTokenState: (token) => {
      const job = core.jobs.byToken(token);
      if (job === undefined) return undefined;
      return {
        jobId: job.id,
        pipelineId: job.pipelineId,
        projectPath: core.pipelines.of(job)?.submission.project.path ?? '',
        alive: isWithRunner(job),
      };
    },
    hasPipeline: (pipelineId) => core.pipelines.get(pipelineId) !== undefined,
    sourcesReady: (pipelineId) => {
      const pipeline = core.pipelines.get(pipelineId);
      if (pipeline === undefined || pipeline.record.isReady) return;
      core.pipelines.update(pipeline, { isReady: true });
      core.conductor.settle(pipeline);
    },
  };
  return factory(context);
}
