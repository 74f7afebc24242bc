import type { CoordinatorCore } from '../engine/core.ts';
import { errorAnswer, jsonAnswer } from '../http/answer.ts';
import { headerOf } from '../http/body.ts';
import type { Route } from '../http/router.ts';
import { isWithRunner } from '../state/records.ts';

/** `GET job`: what a job token stands for. */
export function currentJobRoute(core: CoordinatorCore): Route {
  return {
    method: 'GET',
    path: '/api/v4/job',
    handle: async ({ request }) => {
      const job = core.jobs.byToken(headerOf(request, 'JOB-TOKEN'));
      if (job === undefined || !isWithRunner(job)) return errorAnswer(401);
      const pipeline = core.pipelines.of(job);
      const git = pipeline?.submission.git;
      return jsonAnswer(200, {
        id: job.id,
        name: job.name,
        stage: job.stage,
        status: job.status,
        ref: git?.ref ?? null,
        tag: git?.ref_type === 'tag',
        allow_failure: job.allowFailure,
        created_at: new Date(job.createdAt).toISOString(),
        started_at: job.startedAt === null ? null : new Date(job.startedAt).toISOString(),
        pipeline: pipeline === undefined ? null : { id: pipeline.id, iid: pipeline.record.iid, sha: git?.sha },
      });
    },
  };
}
