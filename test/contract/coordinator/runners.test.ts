import { describe, expect, test } from 'vitest';
import { allFeatures, type Harness, startHarness } from './harness.ts';

function register(harness: Harness, change: Readonly<Record<string, unknown>> = {}) {
  const token = harness.coordinator.registrationToken;
  return harness.api('POST', 'runners', {
    headers: { 'RUNNER-TOKEN': token },
    json: { token, description: 'd', run_untagged: true, locked: true, paused: false, info: {}, ...change },
  });
}

function verify(harness: Harness, token: string) {
  return harness.api('POST', 'runners/verify', {
    headers: { 'RUNNER-TOKEN': token },
    json: { token, system_id: 's_0123456789ab', info: { version: '19.4.0', features: allFeatures } },
  });
}

function remove(harness: Harness, path: string, body: Readonly<Record<string, unknown>>) {
  return harness.api('DELETE', path, { headers: { 'RUNNER-TOKEN': String(body['token']) }, json: body });
}

describe('POST runners', () => {
  test('registers with the registration token', async () => {
    const harness = await startHarness();
    const answer = await register(harness, { tag_list: 'a, b', maximum_timeout: 90 });
    expect(answer.status).toBe(201);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.json()).toEqual({ id: 2, token: expect.stringMatching(/^glrtr-\w{20}$/), token_expires_at: null });
    const runners = (await harness.admin('GET', 'runners')).list();
    expect(runners[1]).toMatchObject({ description: 'd', tags: ['a', 'b'], run_untagged: true, maximum_timeout: 90 });
  });

  test('refuses a wrong token and a runner that could run nothing', async () => {
    const harness = await startHarness();
    const wrong = await register(harness, { token: 'wrong' });
    expect([wrong.status, wrong.text]).toEqual([403, '{"message":"403 Forbidden"}']);
    const useless = await register(harness, { run_untagged: false });
    expect(useless.status).toBe(400);
    expect(useless.json()['message']).toEqual({
      tags_list: ['can not be empty when runner is not allowed to pick untagged jobs'],
    });
  });
});

describe('POST runners/verify', () => {
  test('knows its runners and notes their managers', async () => {
    const harness = await startHarness();
    const answer = await verify(harness, harness.runner.token);
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({ id: 1, token: harness.runner.token, token_expires_at: null });
    expect((await verify(harness, 'glrt-unknown')).status).toBe(403);
    const runner = (await harness.admin('GET', 'runners/1')).json();
    expect(runner['managers']).toMatchObject([{ system_id: 's_0123456789ab', version: '19.4.0' }]);
  });

  test('can answer as a very old server', async () => {
    const harness = await startHarness({ verifyAnswer: 'plain' });
    const answer = await verify(harness, harness.runner.token);
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([200, 'text/plain', '200']);
  });
});

describe('DELETE runners', () => {
  test('removes a runner by its token', async () => {
    const harness = await startHarness();
    const token = String((await register(harness)).json()['token']);
    expect((await remove(harness, 'runners', { token })).status).toBe(204);
    expect((await remove(harness, 'runners', { token })).status).toBe(403);
    expect((await verify(harness, token)).status).toBe(403);
  });

  test('removes one manager and keeps the runner', async () => {
    const harness = await startHarness();
    const { token } = harness.runner;
    await verify(harness, token);
    expect((await remove(harness, 'runners/managers', { token, system_id: 's_0123456789ab' })).status).toBe(204);
    expect((await remove(harness, 'runners/managers', { token, system_id: 's_0123456789ab' })).status).toBe(404);
    expect((await remove(harness, 'runners/managers', { token, system_id: '' })).status).toBe(400);
    expect((await remove(harness, 'runners/managers', { token: 'x', system_id: 's_0123456789ab' })).status).toBe(403);
    expect((await harness.admin('GET', 'runners/1')).json()['managers']).toEqual([]);
  });
});

describe('reset of authentication tokens', () => {
  test('with the token itself', async () => {
    const harness = await startHarness({ runnerTokenLifetimeSeconds: 3600 });
    const { token } = harness.runner;
    const answer = await harness.api('POST', 'runners/reset_authentication_token', { json: { token } });
    expect(answer.status).toBe(201);
    expect(answer.json()['token']).toMatch(/^glrt-/);
    expect(answer.json()['token']).not.toBe(token);
    expect(Date.parse(String(answer.json()['token_expires_at']))).toBeGreaterThan(Date.now());
    expect((await verify(harness, token)).status).toBe(403);
    expect((await verify(harness, String(answer.json()['token']))).status).toBe(200);
    const again = await harness.api('POST', 'runners/reset_authentication_token', { json: { token } });
    expect(again.status).toBe(403);
  });

  test('with an administrator token and a null body', async () => {
    const harness = await startHarness();
    const reset = (id: number, pat: string) =>
      harness.api('POST', `runners/${id}/reset_authentication_token`, {
        headers: { 'PRIVATE-TOKEN': pat },
        json: null,
      });
    expect((await reset(1, harness.coordinator.adminToken)).status).toBe(201);
    expect((await reset(1, 'wrong')).status).toBe(403);
    expect((await reset(9, harness.coordinator.adminToken)).status).toBe(404);
  });

  test('an expired token is refused', async () => {
    let now = Date.now();
    const harness = await startHarness({ runnerTokenLifetimeSeconds: 60, now: () => now });
    now += 61_000;
    expect((await verify(harness, harness.runner.token)).status).toBe(403);
  });
});

test('GET runners/router/discovery says that there is no router', async () => {
  const harness = await startHarness();
  const ask = (token: string) => harness.api('GET', 'runners/router/discovery', { headers: { 'RUNNER-TOKEN': token } });
  expect((await ask(harness.runner.token)).status).toBe(501);
  expect((await ask('wrong')).status).toBe(403);
});

describe('every call', () => {
  test('echoes the request id, or makes one', async () => {
    const harness = await startHarness();
    const id = '0123456789abcdef0123456789abcdef';
    const echoed = await harness.api('GET', 'runners/router/discovery', { headers: { 'X-Request-Id': id } });
    expect(echoed.headers['x-request-id']).toBe(id);
    const made = await harness.api('GET', 'nothing', { headers: { 'X-Request-Id': '' } });
    expect(made.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
  });

  test('unknown paths and methods are errors in JSON', async () => {
    const harness = await startHarness();
    const absent = await harness.api('GET', 'nothing');
    expect([absent.status, absent.text]).toEqual([404, '{"message":"404 Not Found"}']);
    expect((await harness.api('GET', 'jobs/request')).status).toBe(405);
    const broken = await harness.api('POST', 'runners/verify', {
      headers: { 'Content-Type': 'application/json' },
      body: '{',
    });
    expect(broken.status).toBe(400);
    expect(broken.json()['message']).toMatch(/not JSON/);
  });

  test('notes what a client does not do as the protocol says', async () => {
    const harness = await startHarness();
    await verify(harness, harness.runner.token);
    expect(await harness.notes()).toEqual([]);
    await harness.api('POST', 'runners/verify', {
      headers: { 'User-Agent': 'curl', 'X-Request-Id': 'short', 'RUNNER-TOKEN': 'other', Accept: '*/*' },
      json: { token: harness.runner.token, system_id: 'odd' },
    });
    expect((await harness.notes()).toSorted()).toEqual([
      'accept_json',
      'request_id',
      'system_id',
      'token_header',
      'user_agent',
      'verify_features',
    ]);
  });
});
