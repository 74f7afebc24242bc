import { jobRoutes } from './admin/jobs.ts';
import { pipelineRoutes } from './admin/pipelines.ts';
import { runnerAdminRoutes } from './admin/runners.ts';
import type { CoordinatorCore } from './engine/core.ts';
import { jsonAnswer } from './http/answer.ts';
import type { Route } from './http/router.ts';
import { artifactDownloadRoute } from './runner-api/artifact-download.ts';
import { artifactUploadRoutes } from './runner-api/artifact-upload.ts';
import { currentJobRoute } from './runner-api/current-job.ts';
import { jobRequestRoute } from './runner-api/job-request.ts';
import { jobTraceRoute } from './runner-api/job-trace.ts';
import { jobUpdateRoute } from './runner-api/job-update.ts';
import { runnerRoutes } from './runner-api/runners.ts';

/** Everything the coordinator answers itself: the Runner API and the administration API. */
export function coordinatorRoutes(core: CoordinatorCore): readonly Route[] {
  return [
    ...runnerRoutes(core),
    jobRequestRoute(core),
    jobUpdateRoute(core),
    jobTraceRoute(core),
    ...artifactUploadRoutes(core),
    artifactDownloadRoute(core),
    currentJobRoute(core),
    ...pipelineRoutes(core),
    ...jobRoutes(core),
    ...runnerAdminRoutes(core),
    { method: 'GET', path: '/-/health', handle: async () => jsonAnswer(200, { status: 'ok' }) },
  ];
}
