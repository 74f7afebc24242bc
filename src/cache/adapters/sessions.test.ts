import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AbortReason } from '../../lib/abort.ts';
import { silentLogger } from '../../observability/logger.ts';
import { delegationKeys } from './azure-delegation.ts';
import type { CacheStorePorts } from './cache-store.ts';
import { managerPorts } from './manager-ports.ts';
import { createRoleSessions } from './s3-role-sessions.ts';
import { createSlots } from './slots.ts';

const signal = new AbortController().signal;
const startMs = Date.UTC(2026, 0, 2);
const hourMs = 3_600_000;

let server: Server;
let bodies: URLSearchParams[];
let nowMs: number;
let answer: (request: string) => { readonly status: number; readonly text: string };
beforeEach(async () => {
  bodies = [];
  nowMs = startMs;
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      bodies.push(new URLSearchParams(body));
      const { status, text } = answer(body);
      response.writeHead(status, { 'Content-Type': 'text/xml' }).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const origin = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

function ports(): CacheStorePorts {
  const environment = { AWS_ENDPOINT_URL_STS: origin() };
  return managerPorts({ environment, logger: silentLogger, now: () => nowMs });
}

describe('sessions of a role', () => {
  const settings = { assumeRoleMaxConcurrency: 0, disableAssumeRoleCredentialsCaching: false };
  const credentials = { accessKeyId: 'A', secretAccessKey: 's' };
  const request = (object: string, lifetimeMs = hourMs) => ({
    roleArn: 'arn:aws:iam::1:role/cache',
    scope: {
      region: 'eu-west-1',
      bucket: 'b',
      object,
      direction: 'upload',
      encryption: undefined,
      isAws: true,
    } as const,
    lifetimeMs,
  });
  beforeEach(() => {
    answer = () => ({
      status: 200,
      text:
        `<AccessKeyId>K${bodies.length}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>` +
        `<Expiration>${new Date(nowMs + hourMs).toISOString()}</Expiration>`,
    });
  });

  it('are asked for with the policy of one object, and kept while they last', async () => {
    const sessions = createRoleSessions(settings as never, ports());
    const first = await sessions.assume(request('one'), credentials, signal);
    expect(bodies[0]?.get('Policy')).toContain('"Resource":"arn:aws:s3:::b/one"');
    expect(bodies[0]?.get('DurationSeconds')).toBe('3600');
    expect(bodies[0]?.get('RoleSessionName')).toMatch(/^gitlab-runner-cache-upload-[0-9a-f]{8}$/);
    expect(await sessions.assume(request('one'), credentials, signal)).toEqual(first);
    expect(await sessions.assume(request('two'), credentials, signal)).not.toEqual(first);
    // Less than the 55 minutes that a long job wants at most; a short job is content.
    nowMs += 10 * 60_000;
    expect(await sessions.assume(request('one', 60_000), credentials, signal)).toEqual(first);
    expect(await sessions.assume(request('one'), credentials, signal)).not.toEqual(first);
    expect(bodies).toHaveLength(3);
  });

  it('are asked for anew each time where that is configured', async () => {
    const sessions = createRoleSessions({ ...settings, disableAssumeRoleCredentialsCaching: true } as never, ports());
    await sessions.assume(request('one'), credentials, signal);
    await sessions.assume(request('one'), credentials, signal);
    expect(bodies).toHaveLength(2);
  });

  it('that are refused say why', async () => {
    answer = () => ({ status: 403, text: '<Error><Code>AccessDenied</Code><Message>not you</Message></Error>' });
    const sessions = createRoleSessions(settings as never, ports());
    await expect(sessions.assume(request('one'), credentials, signal)).rejects.toThrow(
      /^failed to assume role \(took 0\.00s\): cannot assume role arn:aws:iam::1:role\/cache: 403 Forbidden \(AccessDenied: not you\); check that its trust policy/,
    );
  });
});

describe('delegation keys of Azure', () => {
  it('serve many tokens, until they are too short', async () => {
    answer = (body) => ({
      status: 200,
      text:
        '<SignedOid>o</SignedOid><SignedTid>t</SignedTid><SignedStart>s</SignedStart><SignedService>b</SignedService>' +
        `<SignedExpiry>${/<Expiry>([^<]*)/.exec(body)?.[1] ?? ''}</SignedExpiry><SignedVersion>v</SignedVersion><Value>k</Value>`,
    });
    const keys = delegationKeys(origin(), async () => await Promise.resolve('token'), ports());
    const first = await keys.until(startMs + hourMs, signal);
    expect(first).toMatchObject({ objectId: 'o', value: 'k', expiresAt: '2026-01-02T01:30:00Z' });
    nowMs += 20 * 60_000;
    expect(await keys.until(nowMs + hourMs, signal)).toBe(first);
    nowMs += 20 * 60_000;
    expect(await keys.until(nowMs + hourMs, signal)).not.toBe(first);
    expect(bodies).toHaveLength(2);
  });
});

describe('slots', () => {
  it('let so many work at a time, in order, and let go of who does not wait any more', async () => {
    const slots = createSlots(1);
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = slots.run(async () => {
      order.push('first');
      await gate.promise;
    }, signal);
    const leaver = new AbortController();
    const second = slots.run(async () => void order.push('second'), leaver.signal);
    const third = slots.run(async () => await Promise.resolve(void order.push('third')), signal);
    leaver.abort(new AbortReason('canceled'));
    await expect(second).rejects.toThrow(AbortReason);
    gate.resolve();
    await Promise.all([first, third]);
    expect(order).toEqual(['first', 'third']);
  });
});
