import * as z from 'zod';
import type { CoordinatorCore } from '../engine/core.ts';
import { type Answer, emptyAnswer, errorAnswer, jsonAnswer, textAnswer } from '../http/answer.ts';
import { headerOf, readJson, readShape } from '../http/body.ts';
import type { Exchange, Route } from '../http/router.ts';
import { sameSecret } from '../http/secret-check.ts';
import type { RunnerRecord } from '../state/records.ts';
import { checkJsonCall, checkSystemId, checkTokenHeader } from './checks.ts';
import { type RunnerInfo, runnerInfoSchema } from './runner-info.ts';

const bodyLimit = 64 * 1024;
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);

const registration = z.object({
  token: text,
  description: text,
  maintenance_note: text,
  tag_list: z
    .union([z.string(), z.array(z.string())])
    .nullish()
    .transform((tags) => (typeof tags === 'string' ? tags.split(',') : (tags ?? [])))
    .transform((tags) => tags.map((tag) => tag.trim()).filter((tag) => tag !== '')),
  run_untagged: z
    .boolean()
    .nullish()
    .transform((value) => value ?? true),
  paused: flag,
  maximum_timeout: z
    .number()
    .int()
    .nullish()
    .transform((value) => value ?? 0),
  info: runnerInfoSchema,
});

const verification = z.object({ token: text, system_id: text, info: runnerInfoSchema });
const tokenBody = z.object({ token: text, system_id: text });

/** Registering, verifying, removing runners and renewing their tokens (spec protocol.md §2.1–2.4, §13.1). */
export function runnerRoutes(core: CoordinatorCore): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/api/v4/runners',
      faultEndpoint: 'register',
      handle: (exchange) => register(core, exchange),
    },
    {
      method: 'POST',
      path: '/api/v4/runners/verify',
      faultEndpoint: 'verify',
      handle: (exchange) => verify(core, exchange),
    },
    { method: 'DELETE', path: '/api/v4/runners', handle: (exchange) => unregister(core, exchange) },
    { method: 'DELETE', path: '/api/v4/runners/managers', handle: (exchange) => unregisterManager(core, exchange) },
    {
      method: 'POST',
      path: '/api/v4/runners/reset_authentication_token',
      handle: (exchange) => resetOwnToken(core, exchange),
    },
    {
      method: 'POST',
      path: '/api/v4/runners/:id/reset_authentication_token',
      handle: (exchange) => resetTokenAsAdmin(core, exchange),
    },
    {
      method: 'GET',
      path: '/api/v4/runners/router/discovery',
      handle: (exchange) => discoverRouter(core, exchange),
    },
  ];
}

async function register(core: CoordinatorCore, { request }: Exchange): Promise<Answer> {
  checkJsonCall(request, core.notes);
  const body = await readShape(request, bodyLimit, registration);
  checkTokenHeader(request, 'RUNNER-TOKEN', body.token, core.notes);
  if (!sameSecret(body.token, core.store.tokens.registrationToken)) return errorAnswer(403);
  if (!body.run_untagged && body.tag_list.length === 0) {
    return errorAnswer(400, { tags_list: ['can not be empty when runner is not allowed to pick untagged jobs'] });
  }
  const runner = core.runners.create({
    origin: 'registered',
    description: body.description,
    maintenanceNote: body.maintenance_note,
    tags: body.tag_list,
    runUntagged: body.run_untagged,
    isPaused: body.paused,
    maximumTimeoutSeconds: body.maximum_timeout,
  });
  core.logger.info('runner registered', { runner: runner.id });
  return jsonAnswer(201, { id: runner.id, ...tokenAnswer(runner) });
}

async function verify(core: CoordinatorCore, { request }: Exchange): Promise<Answer> {
  checkJsonCall(request, core.notes);
  const body = await readShape(request, bodyLimit, verification);
  checkTokenHeader(request, 'RUNNER-TOKEN', body.token, core.notes);
  if (Object.keys(body.info.features).length === 0) core.notes.add('verify_features', 'verify without info.features');
  const runner = core.runners.byToken(body.token);
  if (runner === undefined) return errorAnswer(403);
  contactRunner(core, runner, body.system_id, body.info);
  if (core.options.verifyAnswer === 'plain') return textAnswer(200, '200');
  return jsonAnswer(200, { id: runner.id, ...tokenAnswer(runner) });
}

async function unregister(core: CoordinatorCore, { request }: Exchange): Promise<Answer> {
  const body = await readShape(request, bodyLimit, tokenBody);
  checkTokenHeader(request, 'RUNNER-TOKEN', body.token, core.notes);
  const runner = core.runners.byToken(body.token);
  if (runner === undefined) return errorAnswer(403);
  core.runners.remove(runner);
  return emptyAnswer(204);
}

async function unregisterManager(core: CoordinatorCore, { request }: Exchange): Promise<Answer> {
  const body = await readShape(request, bodyLimit, tokenBody);
  checkTokenHeader(request, 'RUNNER-TOKEN', body.token, core.notes);
  const runner = core.runners.byToken(body.token);
  if (runner === undefined) return errorAnswer(403);
  if (body.system_id === '') return errorAnswer(400, { system_id: ['is missing'] });
  if (!runner.managers.some((manager) => manager.systemId === body.system_id)) return errorAnswer(404);
  core.runners.removeManager(runner, body.system_id);
  return emptyAnswer(204);
}

async function resetOwnToken(core: CoordinatorCore, { request }: Exchange): Promise<Answer> {
  checkJsonCall(request, core.notes);
  const body = await readShape(request, bodyLimit, tokenBody);
  const runner = core.runners.byToken(body.token);
  if (runner === undefined) return errorAnswer(403);
  return jsonAnswer(201, tokenAnswer(core.runners.resetToken(runner)));
}

async function resetTokenAsAdmin(core: CoordinatorCore, { request, params }: Exchange): Promise<Answer> {
  checkJsonCall(request, core.notes);
  await readJson(request, bodyLimit);
  if (!sameSecret(headerOf(request, 'PRIVATE-TOKEN'), core.store.tokens.adminToken)) return errorAnswer(403);
  const runner = core.runners.get(Number(params['id']));
  if (runner === undefined) return errorAnswer(404);
  return jsonAnswer(201, tokenAnswer(core.runners.resetToken(runner)));
}

/** There is no job router here; runners then poll. */
async function discoverRouter(core: CoordinatorCore, { request }: Exchange): Promise<Answer> {
  const runner = core.runners.byToken(headerOf(request, 'RUNNER-TOKEN'));
  return runner === undefined ? errorAnswer(403) : errorAnswer(501);
}

/** Notes which manager of a runner called, with what it can do. */
export function contactRunner(core: CoordinatorCore, runner: RunnerRecord, systemId: string, info: RunnerInfo): void {
  checkSystemId(systemId, core.notes);
  core.runners.contact(runner.id, { ...info, systemId, contactedAt: core.now() });
}

function tokenAnswer(runner: RunnerRecord) {
  const expiresAt = runner.tokenExpiresAt === null ? null : new Date(runner.tokenExpiresAt).toISOString();
  return { token: runner.token, token_expires_at: expiresAt };
}
