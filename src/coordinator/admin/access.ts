import type { IncomingMessage } from 'node:http';
import type { CoordinatorCore } from '../engine/core.ts';
import type { LivePipeline } from '../engine/live-pipeline.ts';
import type { Answer } from '../http/answer.ts';
import { headerOf } from '../http/body.ts';
import { RequestError } from '../http/request-error.ts';
import type { Exchange, Route } from '../http/router.ts';
import { sameSecret } from '../http/secret-check.ts';
import type { JobRecord } from '../state/records.ts';

/** Root of the administration API. */
export const adminPath = '/api/millrace/v1';

/** A route of the administration API: asks for the administrator's token first. */
export function adminRoute(
  core: CoordinatorCore,
  method: string,
  path: string,
  handle: (exchange: Exchange) => Promise<Answer>,
): Route {
  return {
    method,
    path: `${adminPath}/${path}`,
    handle: async (exchange) => {
      requireAdmin(core, exchange.request);
      return handle(exchange);
    },
  };
}

/** @throws RequestError 401 */
export function requireAdmin(core: Pick<CoordinatorCore, 'store'>, request: IncomingMessage): void {
  const bearer = /^Bearer (.+)$/i.exec(headerOf(request, 'Authorization'))?.[1] ?? '';
  const token = headerOf(request, 'PRIVATE-TOKEN') || bearer;
  if (sameSecret(token, core.store.tokens.adminToken)) return;
  throw new RequestError(
    401,
    token === '' ? 'the administrator token is missing' : 'the token is not the administrator’s',
    {
      hint: 'Send the content of the file admin-token in the data folder as PRIVATE-TOKEN or Bearer token.',
    },
  );
}

/** @throws RequestError 404 */
export function findPipeline(core: CoordinatorCore, exchange: Exchange): LivePipeline {
  const pipeline = core.pipelines.get(Number(exchange.params['id']));
  if (pipeline === undefined) throw new RequestError(404, `there is no pipeline ${exchange.params['id']}`);
  return pipeline;
}

/** @throws RequestError 404 */
export function findJob(core: CoordinatorCore, exchange: Exchange): JobRecord {
  const job = core.jobs.get(Number(exchange.params['id']));
  if (job === undefined) throw new RequestError(404, `there is no job ${exchange.params['id']}`);
  return job;
}
