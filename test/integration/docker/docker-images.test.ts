import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DockerClient } from '../../../src/executors/docker/api/docker-client.ts';
import { createRegistryCredentials } from '../../../src/executors/docker/credentials/registry-credentials.ts';
import { createJobImages, type JobImages } from '../../../src/executors/docker/images/job-images.ts';
import { createSharedPulls } from '../../../src/executors/docker/images/pull-sharing.ts';
import { AbortReason } from '../../../src/lib/abort.ts';
import {
  ExternalDependencyError,
  ImagePullError,
  JobConfigurationError,
  PrepareError,
} from '../../../src/lib/errors.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { internalVariable } from '../../../src/variables/lookup.ts';
import { testDockerClient } from '../../support/docker-client.ts';
import { dockerHost } from '../../support/docker-daemon.ts';
import { freePort, startTestRegistry, type TestRegistry } from '../../support/docker-registry.ts';
import { needs } from '../../support/needs.ts';

const never = new AbortController().signal;
const clock = systemClock();

describe.skipIf(!needs('docker') || !needs('docker-registry'))('images of a real registry', () => {
  let client: DockerClient;
  let open: TestRegistry;
  let closed: TestRegistry;
  let home = '';
  const names: string[] = [];

  beforeAll(async () => {
    client = await testDockerClient();
    [open, closed] = await Promise.all([startTestRegistry(dockerHost(), false), startTestRegistry(dockerHost(), true)]);
    home = mkdtempSync(join(tmpdir(), 'docker-home-'));
  });
  afterEach(async () => {
    for (const name of names.splice(0)) await client.removeImage(name, never);
  });
  afterAll(async () => {
    await Promise.all([open.close(), closed.close()]);
    rmSync(home, { recursive: true, force: true });
    client.close();
  });

  interface Setup {
    readonly policies?: readonly string[];
    readonly allowed?: readonly string[];
    readonly authConfig?: string;
    readonly payload?: { readonly url: string; readonly username: string; readonly password: string };
    readonly homeFolder?: string;
    readonly path?: string;
  }

  function jobOf(setup: Setup): { images: JobImages; lines: string[]; pulled: string[] } {
    const lines: string[] = [];
    const pulled: string[] = [];
    const say = (text: string): void => void lines.push(text);
    const plan = {
      variables: setup.authConfig === undefined ? [] : [internalVariable('DOCKER_AUTH_CONFIG', setup.authConfig)],
      registryCredentials: setup.payload === undefined ? [] : [setup.payload],
    };
    const environment = { ...process.env, PATH: `${setup.path ?? ''}:${process.env['PATH'] ?? ''}` };
    const images = createJobImages({
      client,
      pulls: createSharedPulls({ clock }),
      credentials: createRegistryCredentials({
        plan,
        host: { environment, workingDirectory: '/' },
        homeFolder: setup.homeFolder ?? '',
        warn: say,
        debug: () => {},
      }),
      tracker: { used: () => {}, pulled: (name) => pulled.push(name) },
      log: { print: say, info: say, warning: say, error: say },
      clock,
      policies: { ofRunner: setup.policies ?? [], allowed: setup.allowed ?? [] },
      hostSystem: 'linux',
      retryPauseMs: () => 1,
    });
    return { images, lines, pulled };
  }

  /** The name is taken away again after the test. */
  function request(name: string) {
    names.push(name);
    return { name, pullPolicies: [], platform: '' };
  }

  it('pulls by default, says so, and notes that the image was not there before', async () => {
    const name = open.push('busybox:test', 'group/one:1');
    const { images, lines, pulled } = jobOf({});
    const image = await images.resolve(request(name), never);
    expect(image.reference).toMatch(/\/group\/one@sha256:[0-9a-f]{64}$/);
    expect(lines).toEqual([
      `Using effective pull policy of [always] for container ${name}`,
      `Pulling docker image ${name} ...`,
      `Using docker image ${image.id} for ${name} with digest ${image.reference} ...`,
    ]);
    expect(pulled).toEqual([name]);
    const next = jobOf({});
    await next.images.resolve(request(name), never);
    expect(next.lines).toContain(`Pulling docker image ${name} ...`);
    expect(next.pulled).toEqual([]);
  });

  it('takes what is there with if-not-present, also when the registry is away', async () => {
    const name = open.push('busybox:test', 'two:1');
    await jobOf({}).images.resolve(request(name), never);
    const { images, lines } = jobOf({ policies: ['if-not-present'] });
    await open.stop();
    try {
      await images.resolve(request(name), never);
    } finally {
      await open.start();
    }
    expect(lines).toContain('Using locally found image version due to "if-not-present" pull policy');
  });

  it('falls back to the next policy', async () => {
    const name = `127.0.0.1:${await freePort()}/gone:1`;
    await client.tagImage('busybox:test', { repository: name.replace(/:1$/, ''), tag: '1' }, never);
    const { images, lines } = jobOf({ policies: ['always', 'if-not-present'] });
    await images.resolve(request(name), never);
    expect(lines.join('\n')).toMatch(/\(attempt #2\), retrying: .*connection refused/);
    expect(lines.join('\n')).toMatch(/Failed to pull image with policy "always": .*connection refused/);
    expect(lines).toContain('Attempt #2: Trying "if-not-present" pull policy');
  });

  it('classifies failures: outside, configuration, never', async () => {
    const away = `127.0.0.1:${await freePort()}/x:1`;
    const failure = async (name: string, setup: Setup = {}): Promise<unknown> =>
      await jobOf(setup)
        .images.resolve({ name, pullPolicies: [], platform: '' }, never)
        .catch((error: unknown) => error);
    const outside = await failure(away);
    expect(outside).toBeInstanceOf(ExternalDependencyError);
    expect((outside as Error).message).toContain(`failed to pull image "${away}" with specified policies [always]: `);
    expect(await failure(`${open.host}/no/such:1`)).toBeInstanceOf(JobConfigurationError);
    expect(await failure(`${closed.host}/no/such:1`)).toBeInstanceOf(JobConfigurationError);
    expect(await failure('no-such-image:1', { policies: ['never'] })).toBeInstanceOf(PrepareError);
    expect(await failure('UPPER/Case')).not.toBeInstanceOf(ImagePullError);
  });

  it('refuses a policy that is not allowed', async () => {
    const { images } = jobOf({ policies: ['if-not-present'], allowed: ['if-not-present', 'never'] });
    const wanted = { name: 'busybox:test', pullPolicies: ['always'], platform: '' };
    await expect(images.resolve(wanted, never)).rejects.toThrow(
      'invalid pull policy for image "busybox:test": pull_policy ([always]) defined in GitLab pipeline config is not one of the allowed_pull_policies ([if-not-present never])',
    );
  });

  describe('with a password', () => {
    const auth = Buffer.from('ci:secret').toString('base64');
    let name = '';
    beforeAll(() => {
      name = closed.push('busybox:test', 'team/app:1');
    });

    it.each<[string, () => Setup, string]>([
      [
        'from DOCKER_AUTH_CONFIG',
        () => ({ authConfig: JSON.stringify({ auths: { [closed.host]: { auth } } }) }),
        '$DOCKER_AUTH_CONFIG',
      ],
      [
        'of a part of the registry',
        () => ({
          authConfig: JSON.stringify({
            auths: { [`${closed.host}/team`]: { auth }, [closed.host]: { username: 'ci', password: 'wrong' } },
          }),
        }),
        '$DOCKER_AUTH_CONFIG',
      ],
      [
        'from the payload',
        () => ({ payload: { url: `http://${closed.host}`, username: 'ci', password: 'secret' } }),
        'job payload (GitLab Registry)',
      ],
      [
        'from a helper of one registry',
        () => ({
          path: helperIn(home, `{"ServerURL":"x","Username":"ci","Secret":"secret"}`),
          authConfig: JSON.stringify({ credHelpers: { [closed.host]: 'millrace-test' } }),
        }),
        '$DOCKER_AUTH_CONFIG',
      ],
      [
        'from the store of the home folder',
        () => ({
          path: helperIn(home, `{"ServerURL":"x","Username":"ci","Secret":"secret"}`, closed.host),
          homeFolder: homeWith(home, { credsStore: 'millrace-test' }),
        }),
        'config.json',
      ],
    ])('%s', async (_title, setup, source) => {
      const { images, lines } = jobOf(setup());
      await images.resolve(request(name), never);
      expect(
        lines.some((line) => line.startsWith('Authenticating with credentials from ') && line.endsWith(source)),
      ).toBe(true);
    });

    it('uses the first source, and no other when its password is wrong', async () => {
      const wrong = Buffer.from('ci:wrong').toString('base64');
      const { images } = jobOf({
        authConfig: JSON.stringify({ auths: { [closed.host]: { auth: wrong } } }),
        payload: { url: closed.host, username: 'ci', password: 'secret' },
      });
      await expect(images.resolve(request(name), never)).rejects.toThrow(JobConfigurationError);
    });

    it('goes on without a source that cannot be read', async () => {
      const { images, lines } = jobOf({
        authConfig: '{ nonsense',
        payload: { url: closed.host, username: 'ci', password: 'secret' },
      });
      await images.resolve(request(name), never);
      expect(lines).toContain(
        'Failed to resolve credentials from $DOCKER_AUTH_CONFIG: it is no valid JSON. Credentials from this source will not be used.',
      );
    });

    it('starts no helper whose name is a path', async () => {
      const authConfig = JSON.stringify({ credHelpers: { [closed.host]: '../../bin/evil' } });
      await expect(jobOf({ authConfig }).images.resolve(request(name), never)).rejects.toThrow(
        'path traversal is not allowed',
      );
    });
  });

  it('shares one pull, and ends it when nobody waits any more', async () => {
    const name = open.push('busybox:test', 'big:1');
    names.push(name);
    const pulls = createSharedPulls({ clock });
    const [repository, tag] = [name.slice(0, name.lastIndexOf(':')), '1'];
    const events = await client.events({ filters: { type: ['image'] } }, never);
    const impatient = new AbortController();
    const started = Array.from({ length: 4 }, (_unused, index) =>
      pulls.pull(client, { repository, tag }, { mayJoinLate: true }, index === 0 ? impatient.signal : never),
    );
    impatient.abort(new AbortReason('canceled'));
    const results = await Promise.allSettled(started);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
    // Events come in order: after this one all pulls have been seen.
    await client.tagImage('busybox:test', { repository: 'millrace-mark', tag: '1' }, never);
    await client.removeImage('millrace-mark:1', never);
    let count = 0;
    for await (const { Action, Actor } of events) {
      if (Action === 'pull' && Actor?.ID.includes('big:1') === true) count += 1;
      if (
        Actor?.Attributes['name']?.startsWith('millrace-mark') === true ||
        Actor?.ID.includes('millrace-mark') === true
      )
        break;
    }
    expect(count).toBe(1);
  });
});

/** A credential helper that answers `get` with a text and `list` with one registry. */
function helperIn(folder: string, answer: string, listed = ''): string {
  const path = join(folder, 'docker-credential-millrace-test');
  const list = listed === '' ? '{}' : JSON.stringify({ [listed]: 'ci' });
  writeFileSync(path, `#!/bin/sh\ncase $1 in get) cat >/dev/null; echo '${answer}' ;; list) echo '${list}' ;; esac\n`);
  chmodSync(path, 0o755);
  return folder;
}

function homeWith(folder: string, config: object): string {
  mkdirSync(join(folder, '.docker'), { recursive: true });
  writeFileSync(join(folder, '.docker', 'config.json'), JSON.stringify(config));
  return folder;
}
