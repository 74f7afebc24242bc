import * as z from 'zod';
import type { CoordinatorCore } from '../engine/core.ts';
import { type HandOutRequest, takeJob } from '../engine/hand-out.ts';
import { type Answer, emptyAnswer, errorAnswer, jsonAnswer } from '../http/answer.ts';
import { readShape } from '../http/body.ts';
import type { Exchange, Route } from '../http/router.ts';
import { checkJsonCall, checkTokenHeader } from './checks.ts';
import { runnerInfoSchema } from './runner-info.ts';
import { contactRunner } from './runners.ts';

/** The proxy in front of GitLab takes no more on this path. */
const bodyLimit = 32 * 1024;
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const requestBody = z.object({ token: text, system_id: text, last_update: text, info: runnerInfoSchema });

/** `POST jobs/request` with long polling (spec protocol.md §2.5, §6.2, §13.1 row 6). */
export function jobRequestRoute(core: CoordinatorCore): Route {
  return {
    method: 'POST',
    path: '/api/v4/jobs/request',
    faultEndpoint: 'job_request',
    handle: (exchange) => requestJob(core, exchange),
  };
}

async function requestJob(core: CoordinatorCore, exchange: Exchange): Promise<Answer> {
  checkJsonCall(exchange.request, core.notes);
  const body = await readShape(exchange.request, bodyLimit, requestBody);
  checkTokenHeader(exchange.request, 'RUNNER-TOKEN', body.token, core.notes);
  const runner = core.runners.byToken(body.token);
  if (runner === undefined) return errorAnswer(403);
  contactRunner(core, runner, body.system_id, body.info);
  const request = { runnerId: runner.id, systemId: body.system_id, features: body.info.features };
  const isHeld = core.options.longPollMs > 0 && body.last_update === core.queue.lastUpdate(runner.id);
  const until = core.now() + (isHeld ? core.options.longPollMs : 0);
  const answer = (await answerWithJob(core, request, until, exchange.signal)) ?? errorAnswer(403);
  return isHeld ? { ...answer, headers: { ...answer.headers, 'Gitlab-Ci-Builds-Polling': 'yes' } } : answer;
}

/** @returns undefined when the runner was removed meanwhile. */
async function answerWithJob(
  core: CoordinatorCore,
  request: Omit<HandOutRequest, 'runner'> & { readonly runnerId: number },
  until: number,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  for (;;) {
    const runner = core.runners.get(request.runnerId);
    if (runner === undefined) return undefined;
    const headers = { 'X-GitLab-Last-Update': core.queue.lastUpdate(runner.id) };
    if (signal.aborted) {
      // It may have been woken for a job that another runner can have.
      core.queue.reconsider();
      return emptyAnswer(204, headers);
    }
    const taken = takeJob(core, { ...request, runner });
    if (taken !== undefined) {
      core.logger.info('job handed out', { job: taken.job.id, runner: runner.id });
      const { id, token } = taken.job;
      return { ...jsonAnswer(201, taken.payload, headers), onUndelivered: () => takeBack(core, id, token) };
    }
    if (core.now() >= until) return emptyAnswer(204, headers);
    await core.queue.wait(runner.id, until, signal);
  }
}

function takeBack(core: CoordinatorCore, jobId: number, token: string): void {
  if (core.jobs.get(jobId)?.token === token) core.conductor.handBack(jobId);
}
