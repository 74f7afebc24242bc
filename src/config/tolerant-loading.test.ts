import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../observability/logger.ts';
import { type LoadedConfig, loadConfig } from './load-config.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-tolerant-'));
  path = join(folder, 'config.toml');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function load(toml: string, environment: Record<string, string> = {}, mode = 0o600): Promise<LoadedConfig> {
  writeFileSync(path, toml);
  chmodSync(path, mode);
  return await loadConfig(path, { environment, defaultFolder: folder, logger: silentLogger });
}

async function warningsOf(toml: string, environment: Record<string, string> = {}): Promise<readonly unknown[]> {
  return (await load(toml, environment)).warnings.map(({ fields }) => fields);
}

async function problemOf(toml: string): Promise<string> {
  const error: unknown = await load(toml).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  return (error as Error).message.replaceAll(folder, '');
}

describe('unknown keys', () => {
  it.each([
    ['concurent = 2', ':1:1', 'concurent', 'concurrent'],
    ['[[runners]]\n  exector = "shell"', ':2:3', 'runners.exector', 'executor'],
    ['[[runners]]\n  [runners.dokcer]\n    image = "x"', ':2:12', 'runners.dokcer', 'docker'],
    ['[[runners]]\n  [runners.docker]\n    volume = ["x"]', ':3:5', 'runners.docker.volume', 'volumes'],
    ['[[runners]]\ncache.s3.Bucket = "x"', ':2:10', 'runners.cache.s3.Bucket', 'BucketName'],
    ['[[runners]]\n[runners.kubernetes]\ncpu_limits = "1"', ':3:1', 'runners.kubernetes.cpu_limits', 'cpu_limit'],
    [
      '[[runners]]\n[[runners.kubernetes.volumes.pvc]]\nmountpath = "1"',
      ':3:1',
      'runners.kubernetes.volumes.pvc.mountpath',
      'mount_path',
    ],
    [
      '[[runners]]\n[[runners.machine.autoscaling]]\nTimezon = ""',
      ':3:1',
      'runners.machine.autoscaling.Timezon',
      'Timezone',
    ],
    ['[session_server]\nlisten_adress = ""', ':2:1', 'session_server.listen_adress', 'listen_address'],
    ['[runner]\nx = 1', ':1:2', 'runner', 'runners'],
  ])('are warned of with their place: %j', async (toml, at, key, suggestion) => {
    expect(await warningsOf(toml)).toEqual([{ at: `${path}${at}`, key, did_you_mean: suggestion }]);
  });

  it('are named without a guess where none is close', async () => {
    expect(await warningsOf('zzz = 1')).toEqual([{ at: `${path}:1:1`, key: 'zzz' }]);
  });

  it('are not what has free names or another letter case', async () => {
    const toml = `CONCURRENT = 2
[[Runners]]
  Name = "x"
  [Runners.labels]
    anything = "goes"
  [runners.Feature_Flags]
    FF_NEW = true
  [runners.machine]
    idlecount = 3
`.replaceAll('[runners', '[Runners');
    const { warnings, config } = await load(toml);
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({ concurrent: 2, runners: [{ name: 'x', sections: { machine: { IdleCount: 3 } } }] });
  });

  it('are keys that stand twice', async () => {
    expect(await warningsOf('concurrent = 1\nConcurrent = 2')).toEqual([
      { at: `${path}:2:1`, key: 'Concurrent', used: 'concurrent' },
    ]);
  });
});

describe('tables that the manager keeps', () => {
  it.each([
    [
      '[runners.kubernetes]\npoll_interval = "3"',
      ':3:17: incompatible types: runners.kubernetes.poll_interval: expected an integer',
    ],
    [
      '[runners.kubernetes]\ncleanup_resources_timeout = "soon"',
      ':3:29: incompatible types: runners.kubernetes.cleanup_resources_timeout: "soon" is not a duration',
    ],
    ['[runners.machine]\nidlescalefactor = "x"', 'runners.machine.IdleScaleFactor: expected a number'],
    ['[runners.custom]\nrun_args = "x"', 'runners.custom.run_args: expected an array'],
    ['[[runners.autoscaler.policy]]\nidle_count = 1.5', 'runners.autoscaler.policy.idle_count: expected an integer'],
    ['[runners.ssh]\nport = 22', 'runners.ssh.port: expected a string'],
  ])('have types too: %j', async (lines, complaint) => {
    expect(await problemOf(`[[runners]]\n${lines}`)).toContain(complaint);
  });
});

it('takes feature flags in a list of one table', async () => {
  const { config, warnings } = await load('[[runners]]\n[[runners.feature_flags]]\nFF_TIMESTAMPS = false\n');
  expect(config.runners[0]?.featureFlags).toEqual({ FF_TIMESTAMPS: false });
  expect(warnings.map(({ fields }) => fields)).toEqual([{ at: `${path}:2:1`, key: 'runners.feature_flags' }]);
  const two = '[[runners]]\n[[runners.feature_flags]]\n[[runners.feature_flags]]\n';
  expect(await problemOf(two)).toContain('runners.feature_flags: expected a table');
});

describe('secrets from elsewhere', () => {
  it('are read from the token file, relative to the config file', async () => {
    writeFileSync(join(folder, 'token'), 'glrt-secret\n', { mode: 0o600 });
    const { config, warnings } = await load('[[runners]]\ntoken_file = "token"\n');
    expect(config.runners[0]).toMatchObject({
      token: 'glrt-secret',
      tokenSource: { kind: 'file', path: join(folder, 'token') },
    });
    expect(warnings).toEqual([]);
    expect(await problemOf('[[runners]]\ntoken_file = "none"\n')).toContain('token_file /none does not exist');
    expect(await problemOf('[[runners]]\ntoken_file = "token"\ntoken = "x"\n')).toContain('both set');
    writeFileSync(join(folder, 'empty'), '\n');
    expect(await problemOf('[[runners]]\ntoken_file = "empty"\n')).toContain('token_file /empty is empty');
  });

  it('are read from the environment', async () => {
    const toml = `[[runners]]
token = "\${TOKEN}"
[runners.cache.s3]
AccessKey = "a$b"
SecretKey = "\${KEY}"
[runners.kubernetes]
bearer_token = "\${NONE}"
`;
    const { config, warnings } = await load(toml, { TOKEN: 'glrt-x', KEY: 'k' });
    expect(config.runners[0]).toMatchObject({
      token: 'glrt-x',
      tokenSource: { kind: 'environment' },
      cache: { s3: { accessKey: 'a$b', secretKey: 'k' } },
      sections: { kubernetes: { bearer_token: '' } },
    });
    expect(warnings.map(({ fields }) => fields)).toEqual([{ variable: 'NONE', path }]);
  });
});

describe('files that others can read', () => {
  const withToken = '[[runners]]\ntoken = "x"\n';
  it.each([
    [0o600, withToken, []],
    [0o640, withToken, ['group']],
    [0o644, withToken, ['everyone']],
    [0o644, '[[runners]]\ntoken = "$TOKEN"\n', []],
    [0o644, 'concurrent = 2\n', []],
  ])('are warned of when they hold a secret: %o %j', async (mode, toml, readers) => {
    const { warnings } = await load(toml, { TOKEN: 'x' }, mode);
    expect(warnings.map(({ fields }) => fields['readable_by'])).toEqual(readers);
  });

  it('are token files too', async () => {
    writeFileSync(join(folder, 'token'), 'glrt-secret\n', { mode: 0o644 });
    const { warnings } = await load('[[runners]]\ntoken_file = "token"\n', {}, 0o644);
    expect(warnings.map(({ fields }) => fields['path'])).toEqual([join(folder, 'token')]);
  });
});
