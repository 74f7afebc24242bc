import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTomlDocument, plainValue } from '../../src/config/toml-document.ts';
import { type Bench, startBench } from '../integration/registration/harness.ts';
import { needs } from '../support/needs.ts';

const peer = process.env['MILLRACE_PEER'] ?? '';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());

const calls: readonly (readonly [string, readonly string[], Readonly<Record<string, string>>])[] = [
  ['shell', ['--limit', '2', '--env', 'A=1', '--env', 'B=2'], {}],
  [
    'docker',
    ['--docker-image', 'alpine', '--docker-privileged', '--docker-volumes', '/a:/b', '--docker-pull-policy', 'never'],
    {},
  ],
  [
    'docker',
    ['--docker-memory', '1g', '--docker-disable-cache', '--docker-sysctls', 'a.b:c'],
    { DOCKER_IMAGE: 'ruby:3' },
  ],
  ['docker-windows', ['--docker-image', 'x'], {}],
  ['docker+machine', ['--docker-image', 'x', '--machine-idle-nodes', '3', '--machine-machine-name', 'a-%s'], {}],
  [
    'docker-autoscaler',
    ['--docker-image', 'x', '--cache-type', 's3', '--cache-s3-bucket-name', 'b'],
    { CACHE_SHARED: 'true' },
  ],
  [
    'kubernetes',
    ['--kubernetes-image', 'x', '--kubernetes-node-selector', 'a:b'],
    { KUBERNETES_CPU_REQUEST: '1', KUBERNETES_PRIVILEGED: 'true' },
  ],
  ['ssh', ['--ssh-host', 'h', '--ssh-user', 'u', '--ssh-port', '22'], { SSH_PASSWORD: 'p' }],
  [
    'virtualbox',
    ['--virtualbox-base-name', 'v', '--ssh-user', 'u', '--ssh-password', 'p', '--ssh-identity-file', 'i'],
    {},
  ],
  ['parallels', ['--parallels-base-name', 'v', '--ssh-host', 'h', '--parallels-disable-snapshots'], {}],
  ['custom', ['--custom-run-exec', '/x', '--custom-run-args', 'a', '--custom-graceful-kill-timeout', '5'], {}],
  ['instance', ['--feature-flags', 'FF_NETWORK_PER_BUILD:true', '--builds-dir', '/b'], {}],
];

describe.skipIf(!needs('peer'))('register writes what the Go runner writes', () => {
  it.each(calls)('%s %j %j', async (executor, more, env) => {
    const { token } = bench.coordinator.createRunner({ description: executor });
    const args = ['--non-interactive', '--url', bench.coordinator.url, '--token', token, '--executor', executor];
    await compare([...args, '--name', 'n', ...more], env);
  });

  it('from a template', async () => {
    const template = join(bench.folder, 'template.toml');
    writeFileSync(
      template,
      '[[runners]]\nlimit = 4\nname = "t"\nenvironment = ["T=1"]\n[runners.kubernetes]\nnamespace = "ci"\nprivileged = true\n[runners.kubernetes.pod_labels]\na = "b"\n[[runners.kubernetes.volumes.empty_dir]]\nname = "e"\nmount_path = "/e"\n[runners.cache]\nType = "s3"\n[runners.cache.s3]\nBucketName = "b"\n[runners.docker]\nimage = "x"\n',
    );
    const { token } = bench.coordinator.createRunner({ description: 'template' });
    const args = ['--non-interactive', '--url', bench.coordinator.url, '--token', token, '--template-config', template];
    await compare([...args, '--executor', 'kubernetes', '--kubernetes-namespace', 'mine', '--name', 'n'], {});
  });

  it('with a registration token', async () => {
    const token = bench.coordinator.registrationToken;
    const args = [
      '--non-interactive',
      '--url',
      bench.coordinator.url,
      '-r',
      token,
      '--executor',
      'shell',
      '--name',
      'n',
    ];
    await compare([...args, '--tag-list', 'a,b'], {}, ['id', 'token']);
  });

  async function compare(
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    differing: readonly string[] = [],
  ): Promise<void> {
    const theirs = join(bench.folder, 'theirs.toml');
    const ours = join(bench.folder, 'ours.toml');
    for (const path of [theirs, ours]) writeFileSync(path, '');
    const failed = await runPeer(['register', '-c', theirs, ...args], env);
    expect(failed).toBe('');
    const { code, output } = await bench.run(['register', '-c', ours, ...args], env);
    expect([code, output]).toEqual([0, expect.any(String)]);
    expect(await runnerOf(ours, differing)).toEqual(await runnerOf(theirs, differing));
  }
});

/** @returns what it said where it failed. */
async function runPeer(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn(peer, args, {
    cwd: bench.folder,
    env: { ...bench.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.once('close', resolve);
  return (await promise) === 0 ? '' : output;
}

/** The one runner, without times and without keys that say no more than their absence. */
async function runnerOf(path: string, differing: readonly string[]): Promise<unknown> {
  const root = plainValue(await parseTomlDocument(readFileSync(path, 'utf8'), path), 'plain');
  const { runners } = root as { runners: readonly Record<string, unknown>[] };
  expect(runners).toHaveLength(1);
  const left = Object.entries(runners[0] ?? {}).filter(
    ([key]) => key !== 'token_obtained_at' && !differing.includes(key),
  );
  return withoutEmpty(Object.fromEntries(left));
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const members = Object.entries(value).map(([key, member]) => [key, withoutEmpty(member)] as const);
  return Object.fromEntries(members.filter(([, member]) => !isEmpty(member)));
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === 'object' && value !== null && !(value instanceof Date)) return Object.keys(value).length === 0;
  return value === '' || value === 0 || value === false;
}
