import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { coordinatorDestination } from '../../../src/manager/coordinator-destination.ts';
import { type ScriptedServer, sendJson, sendStatus, startScriptedServer } from '../../support/scripted-server.ts';
import { clientFor, info, never } from './client-fixture.ts';

let server: ScriptedServer;
beforeEach(async () => {
  server = await startScriptedServer((_request, response) => sendStatus(response, 200));
});
afterEach(() => server.close());

function destination() {
  const fixture = clientFor(server.url);
  return { ...fixture, target: coordinatorDestination(fixture.client, { id: 7, token: 'jobtoken' }, info) };
}

const bytes = Buffer.from('hello\n');

describe('an update of a job', () => {
  it('acknowledges', async () => {
    const { target } = destination();
    expect(await target.update({ state: 'running' }, never)).toMatchObject({ state: 'ok', cancelRequested: false });
    const [seen] = server.seen;
    expect(seen).toMatchObject({ method: 'PUT', path: '/api/v4/jobs/7' });
    expect(seen?.headers['job-token']).toBe('jobtoken');
    expect(seen?.headers).not.toHaveProperty('accept');
    expect(JSON.parse(seen?.body ?? '')).toEqual({ info, token: 'jobtoken', state: 'running', output: {} });
  });

  it('reports the end', async () => {
    const { target } = destination();
    const output = { checksum: 'crc32:0000abcd', sizeBytes: 12 };
    await target.update({ state: 'failed', failureReason: 'script_failure', exitCode: -1, output }, never);
    await target.update({ state: 'success', exitCode: 0, output: { ...output, sizeBytes: 0 } }, never);
    const bodies = server.seen.map((seen) => JSON.parse(seen.body) as unknown);
    expect(bodies[0]).toEqual({
      info,
      token: 'jobtoken',
      state: 'failed',
      failure_reason: 'script_failure',
      checksum: 'crc32:0000abcd',
      output: { checksum: 'crc32:0000abcd', bytesize: 12 },
      exit_code: -1,
    });
    expect(bodies[1]).toEqual({
      info,
      token: 'jobtoken',
      state: 'success',
      checksum: 'crc32:0000abcd',
      output: { checksum: 'crc32:0000abcd' },
    });
  });

  it.each([
    [200, '', 'ok'],
    [200, 'running', 'ok'],
    [202, '', 'accepted_not_completed'],
    [412, '', 'trace_invalid'],
    [403, '', 'aborted'],
    [404, '', 'aborted'],
    [200, 'canceled', 'aborted'],
    [202, 'failed', 'aborted'],
    [400, '', 'failed'],
    [401, '', 'failed'],
    [409, '', 'failed'],
    [500, '', 'failed'],
  ])('status %d with job status %j means %s', async (status, jobStatus, state) => {
    server.answer((_request, response) =>
      sendStatus(response, status, jobStatus === '' ? {} : { 'Job-Status': jobStatus }),
    );
    expect(await destination().target.update({ state: 'running' }, never)).toMatchObject({ state });
  });

  it('hears a cancel request and the new interval', async () => {
    server.answer((_request, response) =>
      sendStatus(response, 200, { 'Job-Status': 'canceling', 'X-GitLab-Trace-Update-Interval': '60' }),
    );
    expect(await destination().target.update({ state: 'running' }, never)).toEqual({
      state: 'ok',
      cancelRequested: true,
      updateIntervalMs: 60_000,
    });
  });

  it('fails when the connection breaks', async () => {
    server.answer((seen) => seen.reset());
    expect(await destination().target.update({ state: 'success' }, never)).toEqual({
      state: 'failed',
      cancelRequested: false,
      updateIntervalMs: undefined,
    });
  });
});

describe('a piece of trace', () => {
  it('says where it belongs', async () => {
    const { target } = destination();
    server.answer((_request, response) => sendStatus(response, 202, { 'X-GitLab-Trace-Update-Interval': '3' }));
    expect(await target.patch(bytes, 10, never)).toEqual({
      state: 'ok',
      cancelRequested: false,
      updateIntervalMs: 3000,
    });
    target.markDebugTrace();
    await target.patch(bytes, 16, never);
    expect(server.seen[0]).toMatchObject({
      method: 'PATCH',
      path: '/api/v4/jobs/7/trace?debug_trace=false',
      body: 'hello\n',
    });
    expect(server.seen[0]?.headers).toMatchObject({
      'content-range': '10-15',
      'content-type': 'text/plain',
      'job-token': 'jobtoken',
      'content-length': '6',
    });
    expect(server.seen[1]).toMatchObject({ path: '/api/v4/jobs/7/trace?debug_trace=true' });
  });

  it.each([
    [202, '', 'ok'],
    [200, '', 'failed'],
    [403, '', 'aborted'],
    [404, '', 'not_found'],
    [202, 'canceled', 'aborted'],
    [416, 'failed', 'aborted'],
    [409, '', 'failed'],
    [500, '', 'failed'],
  ])('status %d with job status %j means %s', async (status, jobStatus, state) => {
    server.answer((_request, response) =>
      sendStatus(response, status, jobStatus === '' ? {} : { 'Job-Status': jobStatus }),
    );
    expect(await destination().target.patch(bytes, 0, never)).toMatchObject({ state });
  });

  it.each([
    ['0-4', 4],
    ['0-100', 100],
    ['0-0', 0],
    ['garbage', 0],
    ['', 0],
    ['0-99999999999999999999', 0],
  ])('a range mismatch %j means size %d', async (range, serverSize) => {
    server.answer((_request, response) => sendStatus(response, 416, range === '' ? {} : { Range: range }));
    expect(await destination().target.patch(bytes, 50, never)).toMatchObject({ state: 'range_mismatch', serverSize });
  });

  it('warns about an interval that is no number and ignores zero', async () => {
    server.answer((_request, response) => sendStatus(response, 202, { 'X-GitLab-Trace-Update-Interval': 'often' }));
    const { target, lines } = destination();
    expect(await target.patch(bytes, 0, never)).toMatchObject({ updateIntervalMs: undefined });
    expect(lines.map((line) => line.message)).toContain('Failed to parse "X-GitLab-Trace-Update-Interval" header');
    server.answer((_request, response) => sendStatus(response, 202, { 'X-GitLab-Trace-Update-Interval': '0' }));
    expect(await target.patch(bytes, 0, never)).toMatchObject({ updateIntervalMs: undefined });
  });

  it('is repeated with the same bytes while the server is overloaded', async () => {
    server.answer((_request, response) => sendStatus(response, server.seen.length < 3 ? 502 : 202));
    expect(await destination().target.patch(bytes, 0, never)).toMatchObject({ state: 'ok' });
    expect(server.seen.map((seen) => seen.body)).toEqual(['hello\n', 'hello\n', 'hello\n']);
  });

  it('fails when the connection breaks', async () => {
    server.answer((seen) => seen.reset());
    const { target, lines } = destination();
    expect(await target.patch(bytes, 0, never)).toMatchObject({ state: 'failed' });
    expect(lines.at(-1)?.message).toContain('Appending trace to coordinator... error ');
  });
});

describe('registration', () => {
  const request = {
    info,
    registrationToken: 'GR1348941reg',
    description: 'd',
    maintenanceNote: '',
    tagList: '',
    runUntagged: false,
    locked: true,
    accessLevel: '',
    maximumTimeoutSeconds: 0,
    paused: false,
  };

  it('registers', async () => {
    server.answer((_request, response) =>
      sendJson(response, 201, { id: 12, token: 'new', token_expires_at: '2030-01-01T00:00:00.000Z' }),
    );
    const { client } = clientFor(server.url, { token: '' });
    expect(await client.register(request, never)).toEqual({
      id: 12,
      token: 'new',
      tokenExpiresAt: new Date('2030-01-01T00:00:00Z'),
    });
    const [seen] = server.seen;
    expect(seen).toMatchObject({ method: 'POST', path: '/api/v4/runners' });
    expect(seen?.headers['runner-token']).toBe('GR1348941reg');
    expect(JSON.parse(seen?.body ?? '')).toEqual({
      token: 'GR1348941reg',
      description: 'd',
      run_untagged: true,
      locked: true,
      paused: false,
      info,
    });
  });

  it.each([
    [403, 'forbidden'],
    [400, 'rejected'],
    [410, 'rejected'],
  ])('status %d is an error %s', async (status, kind) => {
    server.answer((_request, response) => sendJson(response, status, { message: 'no' }));
    await expect(clientFor(server.url).client.register(request, never)).rejects.toMatchObject({ kind, status });
  });

  it('verifies, also with an old server', async () => {
    const { client } = clientFor(server.url);
    const verify = () => client.verify({ info, systemId: 's_0123456789ab' }, never);
    server.answer((_request, response) => sendJson(response, 200, { id: 5, token: 'x', token_expires_at: null }));
    expect(await verify()).toEqual({ kind: 'valid', runner: { id: 5, token: 'x', tokenExpiresAt: null } });
    expect(JSON.parse(server.seen[0]?.body ?? '')).toEqual({
      info,
      token: 'glrt-t1_runnertoken',
      system_id: 's_0123456789ab',
    });
    server.answer((_request, response) => void response.end('200'));
    expect(await verify()).toEqual({ kind: 'valid', runner: undefined });
    expect(server.seen).toHaveLength(3);
    server.answer((_request, response) => sendStatus(response, 403));
    expect(await verify()).toEqual({ kind: 'removed' });
    server.answer((_request, response) => sendStatus(response, 401));
    expect(await verify()).toMatchObject({ kind: 'unknown' });
  });

  it('unregisters the manager of a glrt- token, the runner of another', async () => {
    server.answer((_request, response) => sendStatus(response, 204));
    await clientFor(server.url).client.unregister({ systemId: 's_0123456789ab' }, never);
    await clientFor(server.url, { token: 'old' }).client.unregister({ systemId: 's_0123456789ab' }, never);
    expect(server.seen.map((seen) => [seen.method, seen.path, JSON.parse(seen.body) as unknown])).toEqual([
      ['DELETE', '/api/v4/runners/managers', { token: 'glrt-t1_runnertoken', system_id: 's_0123456789ab' }],
      ['DELETE', '/api/v4/runners', { token: 'old' }],
    ]);
    server.answer((_request, response) => sendStatus(response, 403));
    const refused = clientFor(server.url).client.unregister({ systemId: '' }, never);
    await expect(refused).rejects.toMatchObject({ kind: 'forbidden' });
  });

  it('resets the token with the token, or with a personal access token', async () => {
    server.answer((_request, response) => sendJson(response, 201, { token: 'fresh', token_expires_at: null }));
    const { client } = clientFor(server.url);
    expect(await client.resetToken({ token: 'current' }, never)).toEqual({ token: 'fresh', tokenExpiresAt: null });
    await client.resetToken({ personalAccessToken: 'pat', runnerId: 9 }, never);
    expect(server.seen.map((seen) => [seen.path, seen.body])).toEqual([
      ['/api/v4/runners/reset_authentication_token', '{"token":"current"}'],
      ['/api/v4/runners/9/reset_authentication_token', 'null'],
    ]);
    expect(server.seen[0]?.headers).not.toHaveProperty('runner-token');
    expect(server.seen[1]?.headers['private-token']).toBe('pat');
    server.answer((_request, response) => sendStatus(response, 403));
    await expect(client.resetToken({ token: 'x' }, never)).rejects.toMatchObject({ kind: 'forbidden' });
  });
});
