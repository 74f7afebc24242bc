import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { executorNames } from '../../../src/commands/registration/executor-entries.ts';
import { needs } from '../../support/needs.ts';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());
afterEach(() => bench.write(''));

function newToken(description = 'ui'): string {
  return bench.coordinator.createRunner({ description }).token;
}

function unattended(...more: readonly string[]): readonly string[] {
  return ['register', '--non-interactive', '--url', bench.coordinator.url, ...more];
}

async function firstRunner(): Promise<Record<string, unknown>> {
  const { runners } = (await bench.data()) as { runners: Record<string, unknown>[] };
  return runners[0] ?? {};
}

/** What each executor has to be told when nobody can be asked. */
const answers: Readonly<Record<string, readonly string[]>> = {
  docker: ['--docker-image', 'alpine'],
  'docker-windows': ['--docker-image', 'alpine'],
  'docker+machine': ['--docker-image', 'alpine'],
  'docker-autoscaler': ['--docker-image', 'alpine'],
  ssh: ['--ssh-host', 'h', '--ssh-user', 'u'],
  virtualbox: ['--virtualbox-base-name', 'v', '--ssh-user', 'u'],
  parallels: ['--parallels-base-name', 'v', '--ssh-host', 'h'],
};

describe('register --non-interactive', () => {
  it('writes a new file for its owner only, and the manager is known to the server', async () => {
    const token = newToken();
    const { code, output } = await bench.run(unattended('--token', token, '--executor', 'shell', '--name', 'n'));
    expect(output).toContain('Verifying runner... is valid');
    expect(output).toContain('Runner registered successfully.');
    expect(output).not.toContain(token);
    expect(code).toBe(0);
    expect(statSync(bench.path).mode & 0o777).toBe(0o600);
    expect(await firstRunner()).toMatchObject({
      name: 'n',
      url: bench.coordinator.url,
      token,
      token_expires_at: new Date('0001-01-01T00:00:00Z'),
      executor: 'shell',
      cache: { MaxUploadedArchiveSize: 0, s3: { AssumeRoleMaxConcurrency: 0 }, gcs: {}, azure: {} },
    });
    const { id } = await firstRunner();
    const runner = (await bench.runners()).find((other) => other.id === id);
    expect(runner?.managers).toHaveLength(1);
  });

  it.each(executorNames.map((name) => [name]))('writes an entry for %s', async (executor) => {
    const more = answers[executor] ?? [];
    const { code, output } = await bench.run(unattended('--token', newToken(), '--executor', executor, ...more));
    expect([code, output]).toEqual([0, expect.stringContaining('Runner registered successfully.')]);
    const entry = await firstRunner();
    expect(entry['executor']).toBe(executor);
    const tables = ['docker', 'machine', 'ssh', 'virtualbox', 'parallels', 'kubernetes', 'custom'];
    const kept = tables.filter((table) => table in entry);
    const expected: Readonly<Record<string, readonly string[]>> = {
      ...Object.fromEntries(executorNames.map((name) => [name, tables.filter((table) => table === name)])),
      'docker-windows': ['docker'],
      'docker-autoscaler': ['docker'],
      'docker+machine': ['docker', 'machine'],
      virtualbox: ['ssh', 'virtualbox'],
      parallels: ['ssh', 'parallels'],
    };
    // A table with nothing in it is not written.
    expect(kept.filter((table) => table !== 'custom')).toEqual(
      (expected[executor] ?? []).filter((t) => t !== 'custom'),
    );
  });

  it('takes options, then the environment, then the template', async () => {
    const template = join(bench.folder, 'template.toml');
    writeFileSync(
      template,
      `[[runners]]
  token = "never"
  limit = 9
  output_limit = 7
  environment = ["T=1"]
  shell = "sh"
  [runners.labels]
    team = "abc"
  [runners.docker]
    privileged = true
    disable_cache = true
    image = "from-template"
    volumes = ["/t"]
  [runners.referees.metrics]
    query_interval = 1
  [runners.kubernetes]
    image = "x"
`,
    );
    const args = unattended(
      '--template-config',
      template,
      '--executor',
      'docker',
      '--limit=2',
      '-docker-privileged=false',
    );
    const env = {
      CI_SERVER_TOKEN: newToken(),
      RUNNER_LIMIT: '3',
      RUNNER_SHELL: 'bash',
      RUNNER_ENV: 'E=1',
      RUNNER_OUTPUT_LIMIT: '0',
      DOCKER_PULL_POLICY: 'always,never',
    };
    const { code, output } = await bench.run([...args, '--env', 'A=1'], env);
    expect([code, output]).toEqual([0, expect.stringContaining('Merging configuration from template file')]);
    const entry = await firstRunner();
    expect(entry).toMatchObject({
      limit: 2,
      shell: 'bash',
      environment: ['E=1', 'A=1'],
      output_limit: 7,
      labels: { team: 'abc' },
      token: env.CI_SERVER_TOKEN,
      docker: {
        privileged: false,
        disable_cache: true,
        image: 'from-template',
        volumes: ['/t'],
        pull_policy: ['always', 'never'],
      },
    });
    expect(Object.keys(entry)).not.toContain('referees');
    expect(Object.keys(entry)).not.toContain('kubernetes');
  });

  it('adds to a file and leaves what is there', async () => {
    bench.write('# mine\nconcurrent = 4 # four\n');
    const args = unattended('--token', newToken(), '--executor', 'shell', '--limit', '5', '--request-concurrency', '6');
    const { code, output } = await bench.run(args);
    expect(code).toBe(0);
    expect(bench.text().startsWith('# mine\nconcurrent = 4 # four\n\n[[runners]]\n  name = ')).toBe(true);
    expect(output).toContain(
      'The specified runner job concurrency limit (5) is larger than current global concurrency limit (4).',
    );
    expect(output).toContain('The specified runner request concurrency (6) is larger');
  });

  it('registers with a registration token, and says that this is deprecated', async () => {
    const args = unattended('-r', bench.coordinator.registrationToken, '--executor', 'shell', '--tag-list', 'a,b');
    const { code, output } = await bench.run([...args, '--maintenance-note', 'm', '--paused', '--name', 'old']);
    expect(output).toContain('has been deprecated in GitLab Runner 15.6');
    expect(output).toContain('Registering runner... succeeded');
    expect(code).toBe(0);
    const { id } = await firstRunner();
    const runner = (await bench.runners()).find((other) => other.id === id);
    expect(runner).toMatchObject({ description: 'old', tags: ['a', 'b'], paused: true });
  });

  it.each<[string, readonly string[], string]>([
    [
      'an unknown token',
      ['--token', 'glrt-unknown-token-000', '--executor', 'shell'],
      'FATAL: Failed to verify the runner.',
    ],
    ['a wrong registration token', ['-r', 'wrong', '--executor', 'shell'], 'FATAL: Failed to register the runner.'],
    [
      'an old token that is unknown',
      ['-t', 'oldtoken', '--executor', 'shell'],
      'FATAL: Failed to verify the runner. You may',
    ],
    ['no token', ['--executor', 'shell'], 'FATAL: The registration-token needs to be entered'],
    ['a wrong access level', ['--access-level', 'x'], 'FATAL: Given access-level is not valid.'],
    [
      'no template',
      ['--template-config', 'none.toml'],
      'FATAL: Could not handle configuration merging from template file',
    ],
    ['an option that is no number', ['--limit', 'x'], '--limit: It must be a whole number.'],
    ['an option that is no duration', ['--unhealthy-interval', '1d'], '--unhealthy-interval: It must be a duration'],
    ['an option that is no switch', ['--docker-privileged=maybe'], '--docker-privileged: It must be true or false.'],
    ['an unknown option', ['--docker-privilege'], "unknown option '--docker-privilege'"],
  ])('ends with 1 for %s', async (_name, args, text) => {
    const { code, output } = await bench.run(unattended(...args));
    expect(output).toContain(text);
    expect(output).not.toMatch(/this is a bug|^ {4}at /m);
    expect([code, bench.text()]).toEqual([1, '']);
  });

  it('unregisters what it cannot write down', async () => {
    const { id, token } = bench.coordinator.createRunner({ description: 'gone' });
    const managers = async (): Promise<number | undefined> =>
      (await bench.runners()).find((runner) => runner.id === id)?.managers.length;
    const args = unattended('--token', token, '--executor', 'none');
    const { code, output } = await bench.run(args);
    expect(output).toContain('FATAL: Invalid executor specified');
    expect(output).toContain('Unregistering runner manager from GitLab succeeded');
    expect([code, await managers()]).toEqual([1, 0]);
    const kept = await bench.run([...args, '--leave-runner']);
    expect([kept.code, await managers()]).toEqual([1, 1]);
  });

  it('refuses settings of the server with an authentication token', async () => {
    const token = newToken();
    const refused = await bench.run(unattended('--token', token, '--executor', 'shell', '--tag-list', 'a'));
    expect(refused.output).toContain(
      'FATAL: Runner configuration other than name and executor configuration is reserved',
    );
    expect([refused.code, bench.text()]).toEqual([1, '']);
    const warned = await bench.run(unattended('-r', token, '--executor', 'shell', '--tag-list', 'a'));
    expect([warned.code, warned.output]).toEqual([0, expect.stringContaining('ignored here')]);
    const again = await bench.run(unattended('--token', token, '--executor', 'shell'));
    expect(again.output).toContain('A runner with this system ID and token has already been registered.');
    expect((await bench.data())['runners']).toHaveLength(2);
  });
});

describe('register with a person', () => {
  it('needs a terminal', async () => {
    const { code, output } = await bench.run(['register']);
    expect(output).toContain('standard input is no terminal');
    expect(output).toContain('--non-interactive');
    expect(code).toBe(1);
  });

  it.skipIf(!needs('script'))('asks, offers what is known, and asks again', async () => {
    const token = newToken();
    const { code, output } = await bench.talk(['register', '--url', bench.coordinator.url], async (person) => {
      await person.sees('Enter the GitLab instance URL');
      await person.sees(`[${bench.coordinator.url}]: `);
      person.types('\r');
      await person.sees('Enter the registration token:');
      person.types('\r');
      await person.sees('Enter the registration token:');
      person.types(`${token}\r`);
      await person.sees('Verifying runner... is valid');
      await person.sees('Enter a name for the runner.');
      person.types(' my runner \r');
      await person.sees('Enter an executor: shell, docker, kubernetes');
      person.types('dokcer\r');
      await person.sees('Invalid executor specified');
      await person.sees('[shell]: ');
      person.types('docker\r');
      await person.sees('Enter the default Docker image (for example, ruby:3.3):');
      person.types('alpine:3\r');
    });
    expect(output).toContain('Runner registered successfully.');
    expect(code).toBe(0);
    expect(await firstRunner()).toMatchObject({
      name: 'my runner',
      executor: 'docker',
      token,
      docker: { image: 'alpine:3', volumes: ['/cache'] },
    });
  });

  it.skipIf(!needs('script'))('unregisters when the questions are interrupted', async () => {
    const { id, token } = bench.coordinator.createRunner({ description: 'interrupted' });
    const args = ['register', '--url', bench.coordinator.url, '--token', token];
    const { code, output } = await bench.talk(args, async (person) => {
      await person.sees('Enter the GitLab instance URL');
      person.types('\r');
      await person.sees('Enter a name for the runner.');
      person.types('\r');
      await person.sees('Enter an executor');
      person.types('\u0003');
    });
    expect(output).toContain('Unregistering runner manager from GitLab succeeded');
    expect(output).toContain('RECEIVED SIGNAL: interrupt');
    expect([code, bench.text()]).toEqual([1, '']);
    expect((await bench.runners()).find((runner) => runner.id === id)?.managers).toEqual([]);
  });

  it.skipIf(!needs('script'))('says that the input ended', async () => {
    const { code, output } = await bench.talk(['register'], async (person) => {
      await person.sees('Enter the GitLab instance URL');
      person.types('\u0004');
    });
    expect(output).toContain('Unexpected EOF. Did you mean to use --non-interactive?');
    expect(code).toBe(1);
  });
});
