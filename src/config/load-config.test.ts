import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../observability/logger.ts';
import { configNotes } from './config-notes.ts';
import { type LoadedConfig, loadConfig } from './load-config.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function load(toml: string, environment: Record<string, string> = {}): Promise<LoadedConfig> {
  const path = join(folder, 'config.toml');
  writeFileSync(path, toml);
  return await loadConfig(path, { environment, defaultFolder: folder, logger: silentLogger });
}

async function problemOf(toml: string): Promise<string> {
  const error: unknown = await load(toml).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  return (error as Error).message.replaceAll(folder, '');
}

describe('loadConfig', () => {
  it('fills every default', async () => {
    const { config } = await load('[[runners]]\nurl = "http://gitlab.test"\ntoken = "abc"\nexecutor = "shell"\n');
    expect(config).toMatchObject({
      concurrent: 1,
      checkIntervalMs: 3000,
      connectionMaxAgeMs: 900_000,
      shutdownTimeoutMs: 30_000,
      logLevel: undefined,
      sessionServer: { sessionTimeoutMs: 1_800_000 },
    });
    expect(config.runners[0]).toMatchObject({
      limit: 0,
      requestConcurrency: 1,
      unhealthyRequestsLimit: 3,
      unhealthyIntervalMs: 3_600_000,
      jobStatusFinalUpdateRetryLimit: 10,
      outputLimitBytes: 4 * 1024 * 1024,
      strictCheckInterval: false,
      prepareTimeoutMs: undefined,
      cleanGitConfig: undefined,
      artifact: { uploadTimeoutMs: 3_600_000, responseHeaderTimeoutMs: 600_000 },
      cache: { type: '', path: '', shared: false, maxUploadedArchiveSize: 0 },
    });
  });

  it.each([
    ['memory = 512', 'runners.docker.memory: expected a string'],
    ['pull_policy = 3', 'runners.docker.pull_policy: expected a text or an array of texts'],
    ['volumes = "/a"', 'runners.docker.volumes: expected an array'],
    ['shm_size = "64m"', 'runners.docker.shm_size: expected an integer'],
    ['disk_care = { interval = "soon" }', 'runners.docker.disk_care.interval: "soon" is not a duration'],
  ])('refuses a docker key of another type: %s', async (line, complaint) => {
    expect(await problemOf(`[[runners]]\n[runners.docker]\n${line}\n`)).toContain(complaint);
  });

  it('reads the keys of a runner', async () => {
    const { config } = await load(`
concurrent = 7
check_interval = 5
connection_max_age = "1m"
shutdown_timeout = 90
[[runners]]
  name = "one"
  url = "http://gitlab.test"
  token = "abc"
  executor = "shell"
  limit = 2
  output_limit = 10
  request_concurrency = 4
  strict_check_interval = true
  unhealthy_interval = "2m"
  prepare_timeout = 1500000000
  environment = ["A=1", "B=2"]
  feature_flags = { FF_TIMESTAMPS = false }
  token_expires_at = 2030-01-02T03:04:05Z
  [runners.custom_build_dir]
    enabled = true
  [runners.artifact]
    upload_timeout = "30m"
  [runners.cache]
    Type = "s3"
    MaxUploadedArchiveSize = 100
    [runners.cache.s3]
      BucketName = "b"
  [runners.kubernetes]
    weight = 1.5
    image = "alpine"
  [runners.docker]
    cpus = "1/2"
    Pull_Policy = "never"
    services_limit = 0
    [[runners.docker.services]]
      name = "redis:7"
[[runners]]
  name = "two"
`);
    expect(config).toMatchObject({
      concurrent: 7,
      checkIntervalMs: 5000,
      connectionMaxAgeMs: 60_000,
      shutdownTimeoutMs: 90_000,
    });
    const [one, two] = config.runners;
    expect(one).toMatchObject({
      name: 'one',
      limit: 2,
      outputLimitBytes: 10_240,
      requestConcurrency: 4,
      strictCheckInterval: true,
      unhealthyIntervalMs: 120_000,
      prepareTimeoutMs: 1500,
      environment: ['A=1', 'B=2'],
      featureFlags: { FF_TIMESTAMPS: false },
      customBuildDirEnabled: true,
      artifact: { uploadTimeoutMs: 1_800_000, responseHeaderTimeoutMs: 600_000 },
      cache: { type: 's3', maxUploadedArchiveSize: 100, s3: { bucketName: 'b', dualStack: true } },
      docker: {
        cpus: '1/2',
        pull_policy: ['never'],
        services_limit: 0,
        services: [{ name: 'redis:7', alias: '', command: [] }],
        disk_care: { max_size: '', min_free: '', interval: 0 },
      },
      sections: { kubernetes: { weight: 1.5, image: 'alpine' } },
    });
    expect(one?.tokenExpiresAt?.toISOString()).toBe('2030-01-02T03:04:05.000Z');
    expect(two?.name).toBe('two');
  });

  it('takes the zero time as a token that never expires', async () => {
    const { config } = await load('[[runners]]\ntoken_expires_at = 0001-01-01T00:00:00Z\n');
    expect(config.runners[0]?.tokenExpiresAt).toBeUndefined();
  });

  it('matches keys exactly, then in any letter case', async () => {
    const { config } = await load('CONCURRENT = 3\n[[Runners]]\nLIMIT = 4\nlimit = 5\n[Runners.CACHE]\ntype = "gcs"\n');
    expect(config.concurrent).toBe(3);
    expect(config.runners[0]?.limit).toBe(5);
    expect(config.runners[0]?.cache.type).toBe('gcs');
  });

  it('ignores unknown keys', async () => {
    const { config } = await load('nonsense = 1\n[[runners]]\nname = "a"\nmore = { nonsense = [1, "a"] }\n');
    expect(config.runners[0]?.name).toBe('a');
  });

  it('expands the environment in token and url only', async () => {
    const { config } = await load(
      '[[runners]]\nurl = "http://$HOST/${PATH_PART}"\ntoken = "${TOKEN}$UNSET"\nname = "$HOST"\n',
      { HOST: 'gitlab.test', PATH_PART: 'sub', TOKEN: 'secret' },
    );
    expect(config.runners[0]).toMatchObject({ url: 'http://gitlab.test/sub', token: 'secret', name: '$HOST' });
  });

  it('merges labels, the runner over the file', async () => {
    const { config } = await load('[labels]\nteam = "a"\nzone = "x"\n[[runners]]\n[runners.labels]\nteam = "b"\n');
    expect(config.runners[0]?.labels).toEqual({ team: 'b', zone: 'x' });
  });

  it('freezes what it returns', async () => {
    const { config } = await load('[[runners]]\nenvironment = ["A=1"]\n');
    const environment = config.runners[0]?.environment as string[] | undefined;
    expect(() => environment?.push('B=2')).toThrow(TypeError);
  });

  it.each([
    ['a text for an integer', 'concurrent = "2"', '/config.toml:1:14', 'concurrent: expected an integer'],
    ['a float for an integer', '\n concurrent = 2.0', '/config.toml:2:15', 'concurrent: expected an integer'],
    ['an integer for a text', '[[runners]]\nname = 1', '/config.toml:2:8', 'runners.name: expected a string'],
    [
      'a text for a list',
      '[[runners]]\nenvironment = "A=1"',
      '/config.toml:2:15',
      'runners.environment: expected an array',
    ],
    ['a bad duration', '[[runners]]\nprepare_timeout = "1 h"', '/config.toml:2:19', '"1 h" is not a duration'],
    ['a bad duration type', '[[runners]]\nprepare_timeout = true', '/config.toml:2:19', 'a duration is'],
    ['a value for a table', '[[runners]]\ncache = 1', '/config.toml:2:9', 'runners.cache: expected a table'],
    [
      'a flag that is no bool',
      '[[runners]]\n[runners.feature_flags]\nFF_X = "true"',
      '/config.toml:3:8',
      'expected a boolean',
    ],
  ])('refuses %s and says where', async (_name, toml, position, text) => {
    const problem = await problemOf(toml);
    expect(problem).toContain(position);
    expect(problem).toContain(text);
  });

  it('says where the syntax is wrong', async () => {
    expect(await problemOf('concurrent = 1\nconcurrent = = 2\n')).toContain('/config.toml:2:');
    expect(await problemOf('a = 1\na = 2\n')).toContain('/config.toml:2:1');
  });

  it.each([
    ['[labels]\n"no spaces" = "x"', "invalid label key, doesn't match"],
    ['[labels]\nteam = "a b"', "invalid label value, doesn't match"],
    ['[[runners]]\nname = "r"\n[runners.labels]\nab = "x"', 'loading configuration for r runner: invalid label key'],
    [
      `[[runners]]\n[runners.labels]\n${Array.from({ length: 33 }, (_, n) => `key${n} = "x"`).join('\n')}`,
      'exceeded maximum computed labels number of 32',
    ],
  ])('refuses bad labels', async (toml, text) => {
    expect(await problemOf(toml)).toContain(text);
  });

  it('takes a missing file as an empty configuration', async () => {
    const loaded = await loadConfig(join(folder, 'none.toml'), {
      environment: {},
      defaultFolder: folder,
      logger: silentLogger,
    });
    expect(loaded.exists).toBe(false);
    expect(loaded.config.runners).toEqual([]);
    expect(configNotes(loaded).map((note) => note.message)).toContain(
      'The config file does not exist: no runner is served',
    );
  });

  it('finds TLS files by the host name where none are named', async () => {
    mkdirSync(join(folder, 'certs'));
    writeFileSync(join(folder, 'certs', 'gitlab.test.crt'), '');
    writeFileSync(join(folder, 'certs', 'gitlab.test.auth.key'), '');
    const { config } = await load('[[runners]]\nurl = "https://gitlab.test:8443/x"\ntls-key-file = "/own.key"\n');
    expect(config.runners[0]?.tls).toEqual({
      caFile: join(folder, 'certs', 'gitlab.test.crt'),
      certFile: '',
      keyFile: '/own.key',
    });
  });
});

describe('the system id', () => {
  it('is made once and kept beside the file, readable by its owner only', async () => {
    const first = await load('');
    expect(first.systemId).toMatch(/^[sr]_[0-9a-zA-Z]{12}$/);
    const path = join(folder, '.runner_system_id');
    expect(readFileSync(path, 'utf8')).toBe(first.systemId);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    writeFileSync(path, ' s_0123456789ab\n');
    expect((await load('')).systemId).toBe('s_0123456789ab');
  });

  it('is made anew when the file holds something else', async () => {
    writeFileSync(join(folder, '.runner_system_id'), 'nonsense');
    const { systemId } = await load('');
    expect(readFileSync(join(folder, '.runner_system_id'), 'utf8')).toBe(systemId);
  });
});

describe('configNotes', () => {
  it('names what does not work and what is not acted on', async () => {
    const loaded = await load(`
listen_address = ":9252"
[[runners]]
name = "a"
url = "http://gitlab.test/ci/"
shell = "fish"
token_expires_at = 2030-01-01T00:00:00Z
proxy_exec = true
feature_flags = { FF_USE_JOB_ROUTER = true, FF_RESOLVE_FULL_TLS_CHAIN = false }
[runners.referees.metrics]
query_interval = 1
`);
    const messages = configNotes(loaded).map((note) => note.message);
    expect(messages).toEqual([
      'listen_address is set, but this version serves no metrics',
      'A runner without a token is not served',
      'The /ci at the end of a url is not needed any more: remove it',
      'A runner names a shell that is not known',
      'proxy_exec has no effect in this version',
      'A table of a runner has no effect in this version',
      'A feature flag has no effect in this version',
      'A token expires and this version does not renew it',
    ]);
  });
});
