import * as z from 'zod';
import type { CoordinatorCore } from '../engine/core.ts';
import { emptyAnswer, jsonAnswer } from '../http/answer.ts';
import { readShape } from '../http/body.ts';
import { RequestError } from '../http/request-error.ts';
import type { Exchange, Route } from '../http/router.ts';
import type { RunnerRecord } from '../state/records.ts';
import { adminRoute } from './access.ts';
import { runnerView } from './views.ts';

const bodyLimit = 64 * 1024;
const newRunner = z.object({
  description: z.string().default(''),
  tags: z.array(z.string()).default([]),
  run_untagged: z.boolean().default(true),
  paused: z.boolean().default(false),
  maximum_timeout: z.number().int().nonnegative().default(0),
});
const changedRunner = z.object({
  description: z.string().optional(),
  tags: z.array(z.string()).optional(),
  run_untagged: z.boolean().optional(),
  paused: z.boolean().optional(),
});

/** Runners, and what a test wants to know, in the administration API. */
export function runnerAdminRoutes(core: CoordinatorCore): readonly Route[] {
  return [
    adminRoute(core, 'GET', 'runners', async () => jsonAnswer(200, [...core.runners.all()].map(runnerView))),
    adminRoute(core, 'POST', 'runners', async ({ request }) => {
      const wanted = await readShape(request, bodyLimit, newRunner);
      const runner = createRunner(core, wanted);
      return jsonAnswer(201, { ...runnerView(runner), token: runner.token });
    }),
    adminRoute(core, 'GET', 'runners/:id', async (exchange) => jsonAnswer(200, runnerView(findRunner(core, exchange)))),
    adminRoute(core, 'PATCH', 'runners/:id', async (exchange) => {
      const runner = findRunner(core, exchange);
      const change = await readShape(exchange.request, bodyLimit, changedRunner);
      const updated = core.runners.update(runner, {
        ...(change.description === undefined ? {} : { description: change.description }),
        ...(change.tags === undefined ? {} : { tags: change.tags }),
        ...(change.run_untagged === undefined ? {} : { runUntagged: change.run_untagged }),
        ...(change.paused === undefined ? {} : { isPaused: change.paused }),
      });
      core.queue.reconsider();
      return jsonAnswer(200, runnerView(updated));
    }),
    adminRoute(core, 'DELETE', 'runners/:id', async (exchange) => {
      core.runners.remove(findRunner(core, exchange));
      return emptyAnswer(204);
    }),
    adminRoute(core, 'GET', 'faults', async () => jsonAnswer(200, core.faults.counts())),
    adminRoute(core, 'GET', 'protocol-notes', async () => jsonAnswer(200, core.notes.all())),
  ];
}

/** Makes a runner whose token needs no registration. */
export function createRunner(
  core: Pick<CoordinatorCore, 'runners'>,
  wanted: {
    readonly description: string;
    readonly tags: readonly string[];
    readonly run_untagged: boolean;
    readonly paused: boolean;
    readonly maximum_timeout: number;
  },
): RunnerRecord {
  if (!wanted.run_untagged && wanted.tags.length === 0) {
    throw new RequestError(400, 'a runner without tags must run untagged jobs');
  }
  return core.runners.create({
    origin: 'created',
    description: wanted.description,
    maintenanceNote: '',
    tags: wanted.tags,
    runUntagged: wanted.run_untagged,
    isPaused: wanted.paused,
    maximumTimeoutSeconds: wanted.maximum_timeout,
  });
}

/** @throws RequestError 404 */
function findRunner(core: CoordinatorCore, exchange: Exchange): RunnerRecord {
  const runner = core.runners.get(Number(exchange.params['id']));
  if (runner === undefined) throw new RequestError(404, `there is no runner ${exchange.params['id']}`);
  return runner;
}
