import type { CoordinatorCore } from '../engine/core.ts';
import { type Answer, jsonAnswer } from '../http/answer.ts';
import { readShape } from '../http/body.ts';
import { RequestError } from '../http/request-error.ts';
import type { Exchange, Route } from '../http/router.ts';
import { checkSubmission } from '../state/check-submission.ts';
import { pipelineSubmissionSchema } from '../submission.ts';
import { adminRoute, findPipeline } from './access.ts';
import { streamEvents } from './event-stream.ts';
import { pipelineSummary, pipelineView } from './views.ts';

const submissionLimit = 64 * 1024 * 1024;

/** Pipelines of the administration API. */
export function pipelineRoutes(core: CoordinatorCore): readonly Route[] {
  return [
    adminRoute(core, 'POST', 'pipelines', (exchange) => submit(core, exchange)),
    adminRoute(core, 'GET', 'pipelines', async () => {
      const newestFirst = [...core.pipelines.all()].sort((left, right) => right.id - left.id);
      return jsonAnswer(
        200,
        newestFirst.map((pipeline) => pipelineSummary(core, pipeline)),
      );
    }),
    adminRoute(core, 'GET', 'pipelines/:id', async (exchange) =>
      jsonAnswer(200, pipelineView(core, findPipeline(core, exchange))),
    ),
    adminRoute(core, 'GET', 'pipelines/:id/events', async (exchange) => events(core, exchange)),
    adminRoute(core, 'POST', 'pipelines/:id/cancel', async (exchange) => stop(core, exchange, 'cancel')),
    adminRoute(core, 'POST', 'pipelines/:id/abort', async (exchange) => stop(core, exchange, 'abort')),
  ];
}

async function submit(core: CoordinatorCore, { request }: Exchange): Promise<Answer> {
  const submission = await readShape(request, submissionLimit, pipelineSubmissionSchema);
  const problems = checkSubmission(submission);
  if (problems.length > 0) throw new RequestError(400, problems.join('; '));
  const pipeline = core.pipelines.create(submission);
  core.logger.info('pipeline submitted', { pipeline: pipeline.id, jobs: pipeline.jobs.length });
  core.conductor.settle(pipeline);
  return jsonAnswer(201, pipelineView(core, pipeline));
}

function events(core: CoordinatorCore, exchange: Exchange): Answer {
  const pipeline = findPipeline(core, exchange);
  const from = exchange.url.searchParams.get('from') ?? '0';
  if (!/^\d{1,9}$/.test(from)) throw new RequestError(400, `from=${from} is not the number of an event`);
  return {
    status: 200,
    headers: { 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store' },
    body: streamEvents(core, pipeline, Number(from), exchange.signal),
  };
}

function stop(core: CoordinatorCore, exchange: Exchange, how: 'cancel' | 'abort'): Answer {
  const pipeline = findPipeline(core, exchange);
  core.conductor.stopPipeline(pipeline, how);
  return jsonAnswer(200, pipelineView(core, pipeline));
}
