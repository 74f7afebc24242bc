import { join } from 'node:path';

/** Where things are inside the coordinator's data folder. */
export function storeFolders(dataDir: string) {
  const jobs = join(dataDir, 'jobs');
  const pipelines = join(dataDir, 'pipelines');
  const job = (id: number): string => join(jobs, String(id));
  const pipeline = (id: number): string => join(pipelines, String(id));
  return {
    dataDir,
    jobs,
    pipelines,
    sources: join(dataDir, 'sources'),
    owners: join(dataDir, 'owner'),
    adminToken: join(dataDir, 'admin-token'),
    registrationToken: join(dataDir, 'registration-token'),
    runners: join(dataDir, 'runners.json'),
    counters: join(dataDir, 'counters.json'),
    job,
    pipeline,
    jobRecord: (id: number): string => join(job(id), 'job.json'),
    payload: (id: number): string => join(job(id), 'payload.json'),
    trace: (id: number): string => join(job(id), 'trace'),
    artifacts: (id: number): string => join(job(id), 'artifacts'),
    pipelineRecord: (id: number): string => join(pipeline(id), 'pipeline.json'),
    submission: (id: number): string => join(pipeline(id), 'submission.json'),
    events: (id: number): string => join(pipeline(id), 'events.ndjson'),
  };
}

export type StoreFolders = ReturnType<typeof storeFolders>;
